select * from {{ source('validated', 'returns_due') }}
