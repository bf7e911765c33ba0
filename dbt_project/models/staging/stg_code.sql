select * from {{ source('validated', 'code_lists') }}
