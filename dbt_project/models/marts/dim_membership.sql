select
    member_code,
    parent_code,
    role,
    since,
    until,
    status,
    source,
    note
from {{ ref('stg_membership') }}
