-- Every flow in every place over the four quarters that end with each quarter, over the part of the
-- financial year up to it, and over the whole one.
{%- set all_measures = all_measures_in_use() %}
with

summed as (
    {%- for subject in subjects() %}
    {%- set measures = measures_in_use(subject, 'flow') %}

    select
        measured.series_id,
        span.quarter,
        span.window_name,
        measured.part_id,
        measured.is_total
        {%- for measure in all_measures %},
        {{ sum_of('measured.' ~ measure) if measure in measures else 'cast(null as bigint)' }}
            as {{ measure }}
        {%- endfor %}
    from {{ ref('int_place_measure') }} as measured
    inner join {{ ref('int_window') }} as span on measured.quarter = span.covered_quarter
    where
        measured.subject = '{{ subject }}'
        and span.window_name in {{ listed(tables_of_windows().int_year_measure) }}
    group by
        measured.series_id,
        span.quarter,
        span.window_name,
        measured.part_id,
        measured.is_total
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    {{ columns_of_window(all_measures) }}
from summed
{{ joined_to_coverage() }}
