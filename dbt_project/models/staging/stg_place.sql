select * from {{ source('validated', 'places') }}
