{# The parts of each breakdown add up to the total, in every measure of every return. #}
{% test parts_add_up(model) %}
with

summed as (

    select
        measured.sender_code,
        measured.quarter,
        measured.measure_number,
        part.subject,
        part.breakdown,
        sum(measured.amount) as amount
    from {{ model }} as measured
    inner join {{ ref('stg_breakdown') }} as part on measured.part_id = part.part_id
    group by
        measured.sender_code,
        measured.quarter,
        measured.measure_number,
        part.subject,
        part.breakdown

)

select
    total.sender_code,
    total.quarter,
    total.measure_number,
    breakdown.breakdown
from summed as total
inner join {{ ref('stg_measure') }} as declared
    on total.measure_number = declared.measure_number
inner join (select distinct subject, breakdown from {{ ref('stg_breakdown') }}) as breakdown
    on declared.subject = breakdown.subject
left join summed as parts
    on total.sender_code = parts.sender_code
    and total.quarter = parts.quarter
    and total.measure_number = parts.measure_number
    and breakdown.breakdown = parts.breakdown
where total.breakdown = 'total' and coalesce(parts.amount, 0) <> total.amount
{% endtest %}
