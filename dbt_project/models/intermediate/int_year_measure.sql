-- Every flow in every place over the four quarters that end with each quarter, over the part of the
-- financial year up to it, and over the whole one.
{%- set subjects = ('child', 'adopter', 'support') %}
with

summed as (
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
    where
        measured.subject = '{{ subject }}'
        and span.window_name in ('rolling_4', 'year_to_date', 'financial_year')
    group by
        measured.place_code,
        measured.membership_basis,
        span.quarter,
        span.window_name,
        measured.breakdown,
        measured.breakdown_value
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    {{ columns_of_window(all_measures_in_use()) }}
from summed
{{ joined_to_coverage(ref('int_coverage_by_window'), ref('stg_breakdown')) }}
