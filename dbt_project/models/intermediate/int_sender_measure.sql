-- The measures of each accepted return, in total and by the parts of each breakdown, of those that
-- an indicator uses. What is zero has no row.
with

counted as (

    select measured.*
    from {{ ref('int_case_measure') }} as measured
    inner join {{ ref('int_return') }} as returned
        on measured.subject = returned.return_name
        and measured.sender_code = returned.sender_code
        and measured.quarter = returned.quarter
    where
        returned.is_due
        and returned.is_accepted
        and exists (
            select 1
            from {{ ref('stg_indicator') }} as indicator
            where measured.measure in (indicator.numerator, indicator.denominator)
                and measured.subject = indicator.subject
        )

),

child as (

    select counted.measure_number, counted.amount, 'total' as total, part.*
    from counted
    inner join {{ ref('int_child_breakdown') }} as part
        on counted.sender_code = part.sender_code
        and counted.quarter = part.quarter
        and counted.case_pseudonym = part.child_pseudonym
    where counted.subject = 'child'

),

household as (

    select counted.measure_number, counted.amount, 'total' as total, part.*
    from counted
    inner join {{ ref('int_adopter_breakdown') }} as part
        on counted.sender_code = part.sender_code
        and counted.quarter = part.quarter
        and counted.case_pseudonym = part.household_pseudonym
    where counted.subject = 'adopter'

),

broken_down as (

    select 'child' as subject, sender_code, quarter, measure_number, breakdown, part, amount
    from {{ columns_as_rows(
        'child', 'breakdown', 'part', of=ref('int_child_breakdown'), also=['total'],
        without=['sender_code', 'quarter', 'child_pseudonym', 'measure_number', 'amount']
    ) }} as child_part

    union all

    select 'adopter' as subject, sender_code, quarter, measure_number, breakdown, part, amount
    from {{ columns_as_rows(
        'household', 'breakdown', 'part', of=ref('int_adopter_breakdown'), also=['total'],
        without=['sender_code', 'quarter', 'household_pseudonym', 'measure_number', 'amount']
    ) }} as household_part

    union all

    select
        subject,
        sender_code,
        quarter,
        measure_number,
        'total' as breakdown,
        'total' as part,
        amount
    from counted
    where subject = 'support'

),

summed as (

    select
        subject, sender_code, quarter, measure_number, breakdown, part,
        cast(sum(amount) as bigint) as amount
    from broken_down
    group by subject, sender_code, quarter, measure_number, breakdown, part

)

-- A part that is not declared stays, without a number, for a test to find.
select
    summed.sender_code,
    summed.quarter,
    summed.subject,
    declared.part_id,
    summed.measure_number,
    summed.amount
from summed
left join {{ ref('stg_breakdown') }} as declared
    on summed.breakdown = declared.breakdown
    and summed.part = declared.breakdown_value
    and declared.subject in (summed.subject, 'all')
