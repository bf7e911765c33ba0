-- The measures of each accepted return, in total and by the parts of each breakdown, of those that
-- an indicator uses. What is zero has no row.
select
    measured.sender_code,
    measured.quarter,
    measured.subject,
    part.part_id,
    measured.measure_number,
    cast(sum(measured.amount) as bigint) as amount
from {{ ref('int_case_measure') }} as measured
inner join {{ ref('int_return') }} as returned
    on measured.subject = returned.return_name
    and measured.sender_code = returned.sender_code
    and measured.quarter = returned.quarter
inner join {{ ref('int_case_part') }} as part
    on measured.subject = part.subject
    and measured.sender_code = part.sender_code
    and measured.quarter = part.quarter
    and measured.case_pseudonym = part.case_pseudonym
where
    returned.is_due
    and returned.is_accepted
    and exists (
        select 1
        from {{ ref('stg_indicator') }} as indicator
        where measured.measure in (indicator.numerator, indicator.denominator)
            and measured.subject = indicator.subject
    )
group by
    measured.sender_code,
    measured.quarter,
    measured.subject,
    part.part_id,
    measured.measure_number
