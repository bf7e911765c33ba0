-- What each return adds to numerators and denominators, summed from its children, households or
-- counts: the second way to every figure, past windows and indicators.
select
    measured.sender_code,
    measured.subject as return_name,
    measured.quarter,
    measured.measure,
    cast(sum(measured.amount) as bigint) as amount,
    cast(case when measured.subject <> 'support' then count(*) end as bigint) as cases
from {{ ref('int_case_measure') }} as measured
inner join {{ ref('int_return') }} as returned
    on measured.sender_code = returned.sender_code
    and measured.subject = returned.return_name
    and measured.quarter = returned.quarter
where returned.is_due and returned.is_accepted
group by measured.sender_code, measured.subject, measured.quarter, measured.measure
