{# The parts of each breakdown add up to the total, in every measure of every return. #}
{% test parts_add_up(model) %}
{%- set measures = all_measures_in_use() %}
with

parts as (

    select
        sender_code,
        quarter,
        subject,
        breakdown
        {%- for measure in measures %},
        {{ sum_of(measure) }} as {{ measure }}
        {%- endfor %}
    from {{ model }}
    where breakdown <> 'total'
    group by sender_code, quarter, subject, breakdown

)

select
    parts.sender_code,
    parts.quarter,
    parts.breakdown
from parts
inner join {{ model }} as whole
    on parts.sender_code = whole.sender_code
    and parts.quarter = whole.quarter
    and parts.subject = whole.subject
    and whole.breakdown = 'total'
where
    1 = 0
    {%- for measure in measures %}
    or parts.{{ measure }} <> whole.{{ measure }}
    {%- endfor %}
{% endtest %}
