select * from {{ source('validated', 'warning_limits') }}
