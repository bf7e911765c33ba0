-- Every flow in every place over the four quarters that end with each quarter, and over the part of
-- the financial year up to it. Longer windows are put together from these: three rolling years make
-- twelve quarters, and a year to date of four quarters is the financial year.
{%- set subjects = ('child', 'adopter', 'support') %}
{%- for subject in subjects %}
{%- set measures = measures_in_use(subject, 'flow') %}
select
    measured.place_code,
    measured.membership_basis,
    '{{ subject }}' as subject,
    span.quarter,
    span.window_name,
    measured.breakdown,
    measured.breakdown_value
    {%- for measure in all_measures_in_use() %},
    {{ sum_of('measured.' ~ measure) if measure in measures else 'cast(null as bigint)' }}
        as {{ measure }}
    {%- endfor %}
from {{ ref('int_place_measure') }} as measured
inner join {{ ref('int_window') }} as span on measured.quarter = span.covered_quarter
where measured.subject = '{{ subject }}' and span.window_name in ('rolling_4', 'year_to_date')
group by
    measured.place_code,
    measured.membership_basis,
    span.quarter,
    span.window_name,
    measured.breakdown,
    measured.breakdown_value
{{ 'union all' if not loop.last }}
{%- endfor %}
