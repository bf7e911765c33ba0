-- What each household's row says, in numbers that may be summed over households, places and
-- quarters. A new measure is one more column, with a caption above it. Columns called
-- households_waiting_… are stocks on the quarter's last day; every other measure is a flow.
with

household as (

    select
        adopter.*,
        quarter.first_day,
        quarter.last_day,
        {{ in_quarter('adopter.approved_on') }} as is_approved_now
    from {{ ref('stg_adopter') }} as adopter
    inner join {{ ref('stg_quarter') }} as quarter
        on adopter.quarter = quarter.quarter

)

select
    sender_code,
    quarter,
    household_pseudonym,

    -- Enquired in the quarter.
    {{ count_when(in_quarter('enquired_on')) }} as households_enquired,
    -- Approved in the quarter.
    {{ count_when('is_approved_now') }} as households_approved,
    -- Approved in the quarter, on or after the enquiry.
    {{ count_when('is_approved_now and approved_on >= enquired_on') }}
        as households_approved_after_enquiry,
    -- Days from enquiry to approval, of households approved in the quarter.
    {{ days_when('is_approved_now and approved_on >= enquired_on', 'enquired_on', 'approved_on') }}
        as days_from_enquiry_to_approval,
    -- Matched in the quarter.
    {{ count_when(in_quarter('matched_on')) }} as households_matched,
    -- Approved and neither matched nor gone on the quarter's last day.
    {{ count_when(
        'approved_on <= last_day'
        ~ ' and not coalesce(matched_on <= last_day, false)'
        ~ ' and not coalesce(left_on <= last_day, false)'
    ) }} as households_waiting_for_match

from household
