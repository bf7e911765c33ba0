-- What the returns missing from a nation would probably have held: each counts with the mean of the
-- returns it is filled from.
with

total as (

    select
        measured.sender_code,
        measured.subject,
        measured.quarter,
        measured.measure_number,
        measured.amount
    from {{ ref('int_sender_measure') }} as measured
    inner join {{ ref('stg_breakdown') }} as part on measured.part_id = part.part_id
    where part.breakdown = 'total'

),

filled as (

    select
        missing.nation_code,
        missing.sender_code,
        missing.subject,
        missing.quarter,
        total.measure_number,
        cast(sum(total.amount) as double) / max(missing.returns_used) as amount
    from {{ ref('int_missing_return') }} as missing
    inner join total
        on missing.used_sender_code = total.sender_code
        and missing.subject = total.subject
        and missing.used_quarter = total.quarter
    group by
        missing.nation_code,
        missing.sender_code,
        missing.subject,
        missing.quarter,
        total.measure_number

)

select
    filled.nation_code as place_code,
    filled.subject,
    span.quarter,
    span.window_name,
    filled.measure_number,
    sum(filled.amount) as amount
from filled
inner join {{ ref('int_window') }} as span on filled.quarter = span.covered_quarter
group by
    filled.nation_code, filled.subject, span.quarter, span.window_name, filled.measure_number
