select * from {{ source('validated', 'measures') }}
