-- Where a sender's figures count: in itself, in the region, agency or partnership it belongs to on
-- the quarter's last day, and once in its nation, however many bodies it belongs to.
with

sender as (

    select distinct
        due.sender_code,
        due.quarter,
        quarter.last_day,
        place.nation_code
    from {{ ref('stg_return_due') }} as due
    inner join {{ ref('stg_quarter') }} as quarter on due.quarter = quarter.quarter
    inner join {{ ref('stg_place') }} as place on due.sender_code = place.place_code

)

select
    sender_code,
    quarter,
    sender_code as place_code
from sender

union

select
    sender_code,
    quarter,
    nation_code as place_code
from sender

union

select
    sender.sender_code,
    sender.quarter,
    membership.parent_code as place_code
from sender
inner join {{ ref('stg_membership') }} as membership
    on sender.sender_code = membership.member_code
    and membership.role = 'member'
    and sender.last_day >= coalesce(membership.since, sender.last_day)
    and sender.last_day <= coalesce(membership.until, sender.last_day)
inner join {{ ref('stg_place') }} as parent
    on membership.parent_code = parent.place_code
    and parent.kind in ('region', 'regional_agency', 'partnership')
