select * from {{ source('validated', 'breaks_in_series') }}
