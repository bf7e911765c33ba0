-- The measures of each accepted return, in total and by each breakdown, a column for each measure.
-- A nil return, and a return whose rows do not touch a measure, has a total of zero; a return that
-- was not accepted gives no row at all. Only measures that an indicator uses are carried on.
{%- set subjects = {
    'child': (ref('int_child_measures'), ref('int_child_breakdown'), 'child_pseudonym'),
    'adopter': (ref('int_adopter_measures'), ref('int_adopter_breakdown'), 'household_pseudonym'),
    'support': (ref('int_support_measures'), none, none),
} %}
{%- set all_measures = all_measures_in_use() %}
{%- set measures = {} %}
{%- for subject in subjects %}
    {%- do measures.update({subject: measures_in_use(subject)}) %}
{%- endfor %}
with

accepted as (

    select
        sender_code,
        return_name as subject,
        quarter
    from {{ ref('int_return') }}
    where is_due and is_accepted

)
{%- for subject, (measured, broken_down, key) in subjects.items() %}
{%- set breakdowns = breakdown_columns(broken_down) if broken_down else [] %},

{{ subject }}_sum as (

    -- Nothing here is null that is grouped by: an empty part means another grouping set.
    select
        measured.sender_code,
        measured.quarter,
        {%- if breakdowns %}
        case
            {%- for breakdown in breakdowns %}
            when part.{{ breakdown }} is not null then '{{ breakdown }}'
            {%- endfor %}
            else 'total'
        end as breakdown,
        coalesce(
            {%- for breakdown in breakdowns %}
            part.{{ breakdown }},
            {%- endfor %}
            'total'
        ) as breakdown_value
        {%- else %}
        'total' as breakdown,
        'total' as breakdown_value
        {%- endif %}
        {%- for measure in measures[subject] %},
        {{ sum_of('measured.' ~ measure) }} as {{ measure }}
        {%- endfor %}
    from {{ measured }} as measured
    {%- if breakdowns %}
    inner join {{ broken_down }} as part
        on measured.sender_code = part.sender_code
        and measured.quarter = part.quarter
        and measured.{{ key }} = part.{{ key }}
    group by grouping sets (
        (measured.sender_code, measured.quarter)
        {%- for breakdown in breakdowns %},
        (measured.sender_code, measured.quarter, part.{{ breakdown }})
        {%- endfor %}
    )
    {%- else %}
    group by measured.sender_code, measured.quarter
    {%- endif %}

)
{%- endfor %}
{% for subject in subjects %}
select
    accepted.sender_code,
    accepted.quarter,
    accepted.subject,
    part.part_id,
    coalesce(summed.breakdown, 'total') = 'total' as is_total,
    coalesce(summed.breakdown, 'total') as breakdown,
    coalesce(summed.breakdown_value, 'total') as breakdown_value
    {%- for measure in all_measures %},
    {%- if measure in measures[subject] %}
    coalesce(summed.{{ measure }}, 0) as {{ measure }}
    {%- else %}
    cast(null as bigint) as {{ measure }}
    {%- endif %}
    {%- endfor %}
from accepted
left join {{ subject }}_sum as summed
    on accepted.sender_code = summed.sender_code
    and accepted.quarter = summed.quarter
left join {{ ref('stg_breakdown') }} as part
    on coalesce(summed.breakdown, 'total') = part.breakdown
    and coalesce(summed.breakdown_value, 'total') = part.breakdown_value
where accepted.subject = '{{ subject }}'
{{ 'union all' if not loop.last }}
{%- endfor %}
