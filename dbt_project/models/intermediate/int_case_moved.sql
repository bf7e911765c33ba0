-- Who began to wait since the quarter before, who no longer waits, and what ended it. Comparable only
-- where both returns came.
with

returned as (

    select
        returned.return_name as subject,
        returned.sender_code,
        returned.quarter,
        quarter.quarter_index,
        quarter.first_day,
        quarter.last_day,
        place.nation_code
    from {{ ref('int_return') }} as returned
    inner join {{ ref('stg_quarter') }} as quarter on returned.quarter = quarter.quarter
    inner join {{ ref('stg_place') }} as place on returned.sender_code = place.place_code
    where returned.is_due and returned.is_accepted

),

waiting as (

    select
        measured.subject,
        measured.sender_code,
        quarter.quarter_index,
        measured.case_pseudonym,
        measured.measure
    from {{ ref('int_case_measure') }} as measured
    inner join {{ ref('stg_quarter') }} as quarter on measured.quarter = quarter.quarter
    inner join {{ ref('stg_measure') }} as declared
        on measured.measure_number = declared.measure_number and declared.timing = 'stock'
    where measured.subject in ('child', 'adopter')

),

moved as (

    select
        coalesce(now.subject, earlier.subject) as subject,
        coalesce(now.sender_code, earlier.sender_code) as sender_code,
        coalesce(now.quarter_index, earlier.quarter_index + 1) as quarter_index,
        coalesce(now.case_pseudonym, earlier.case_pseudonym) as case_pseudonym,
        coalesce(now.measure, earlier.measure) as measure,
        earlier.measure is null as has_joined
    from waiting as now
    full outer join waiting as earlier
        on now.subject = earlier.subject
        and now.sender_code = earlier.sender_code
        and now.case_pseudonym = earlier.case_pseudonym
        and now.measure = earlier.measure
        and now.quarter_index = earlier.quarter_index + 1
    where now.measure is null or earlier.measure is null

),

ending as (

    select
        ended.subject,
        ended.sender_code,
        ended.quarter,
        ended.case_pseudonym,
        ended.field,
        ended.day,
        told.reason,
        told.position
    from {{ ref('int_case_date') }} as ended
    inner join (
        values
        ('child', 'adoption_order_on', 'left_adopted', 1),
        ('child', 'placed_on', 'left_placed', 2),
        ('child', 'plan_ended_on', 'left_plan_ended', 3),
        ('child', 'referral_withdrawn_on', 'left_referral_withdrawn', 4),
        ('child', 'matched_on', 'left_matched', 5),
        ('adopter', 'placed_on', 'left_placed', 1),
        ('adopter', 'matched_on', 'left_matched', 2),
        ('adopter', 'left_on', 'left_agency', 3),
        ('adopter', 'approved_on', 'left_approved', 4)
    ) as told (subject, field, reason, position)
        on ended.subject = told.subject and ended.field = told.field

),

explained as (

    select
        here.sender_code,
        here.quarter,
        here.nation_code,
        indicator.indicator_id,
        moved.case_pseudonym,
        case
            when moved.has_joined then 'joined'
            when present.case_pseudonym is null then 'left_return'
            else coalesce(ending.reason, 'left_otherwise')
        end as reason,
        -- What the clock stops for comes first: matched and placed in one quarter is matched.
        row_number() over (
            partition by
                here.subject,
                here.sender_code,
                here.quarter,
                moved.case_pseudonym,
                indicator.indicator_id
            order by
                case when ending.field = indicator.clock_stop then 0 else ending.position end
                nulls last
        ) as reason_rank
    from moved
    inner join {{ ref('stg_indicator') }} as indicator
        on moved.subject = indicator.subject
        and moved.measure = indicator.numerator
        and indicator.timing = 'stock'
    inner join returned as here
        on moved.subject = here.subject
        and moved.sender_code = here.sender_code
        and moved.quarter_index = here.quarter_index
    inner join returned as earlier
        on here.subject = earlier.subject
        and here.sender_code = earlier.sender_code
        and here.quarter_index = earlier.quarter_index + 1
    left join {{ ref('int_case') }} as present
        on here.subject = present.subject
        and here.sender_code = present.sender_code
        and here.quarter = present.quarter
        and moved.case_pseudonym = present.case_pseudonym
    left join ending
        on here.subject = ending.subject
        and here.sender_code = ending.sender_code
        and here.quarter = ending.quarter
        and moved.case_pseudonym = ending.case_pseudonym
        and ending.day between here.first_day and here.last_day

)

select sender_code, quarter, nation_code, indicator_id, case_pseudonym, reason
from explained
where reason_rank = 1
