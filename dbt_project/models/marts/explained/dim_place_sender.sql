select
    place_code,
    sender_code,
    quarter,
    membership_basis
from {{ ref('int_place_tree') }}
