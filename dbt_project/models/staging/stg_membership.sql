select * from {{ source('validated', 'memberships') }}
