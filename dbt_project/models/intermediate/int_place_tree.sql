-- Where a sender's figures count: in itself, in the region, agency or partnership it belongs to,
-- and once in its nation, however many bodies it belongs to. Regions, agencies and partnerships
-- have two bases: the membership of the quarter's own last day, and today's, which is that of the
-- last day of the latest quarter, for every quarter.
with

sender as (

    select distinct
        due.sender_code,
        due.quarter,
        quarter.last_day,
        place.kind,
        place.nation_code
    from {{ ref('stg_return_due') }} as due
    inner join {{ ref('stg_quarter') }} as quarter on due.quarter = quarter.quarter
    inner join {{ ref('stg_place') }} as place on due.sender_code = place.place_code

),

basis as (

    select
        quarter,
        'at_the_time' as membership_basis,
        last_day as membership_day
    from {{ ref('stg_quarter') }}

    union all

    select
        quarter.quarter,
        'today' as membership_basis,
        latest.last_day as membership_day
    from {{ ref('stg_quarter') }} as quarter
    cross join (select max(last_day) as last_day from {{ ref('stg_quarter') }}) as latest

)

select
    sender_code,
    quarter,
    'at_the_time' as membership_basis,
    sender_code as place_code
from sender

union

select
    sender_code,
    quarter,
    'at_the_time' as membership_basis,
    nation_code as place_code
from sender

union

-- A region or agency that sends returns itself stands in its own series of today, too.
select
    sender_code,
    quarter,
    'today' as membership_basis,
    sender_code as place_code
from sender
where kind in ('region', 'regional_agency', 'partnership')

union

select
    sender.sender_code,
    sender.quarter,
    basis.membership_basis,
    membership.parent_code as place_code
from sender
inner join basis on sender.quarter = basis.quarter
inner join {{ ref('stg_membership') }} as membership
    on sender.sender_code = membership.member_code
    and membership.role = 'member'
    and basis.membership_day >= coalesce(membership.since, basis.membership_day)
    and basis.membership_day <= coalesce(membership.until, basis.membership_day)
inner join {{ ref('stg_place') }} as parent
    on membership.parent_code = parent.place_code
    and parent.kind in ('region', 'regional_agency', 'partnership')
