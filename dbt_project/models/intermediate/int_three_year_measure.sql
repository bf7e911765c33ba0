-- Every flow in every place over the twelve quarters that end with each quarter. Three rolling years
-- make twelve quarters, which takes a quarter of the sums.
{%- set all_measures = all_measures_in_use() %}
with

summed as (
    {%- for subject in subjects() %}
    {%- set measures = measures_in_use(subject, 'flow') %}

    select
        measured.series_id,
        ending.quarter,
        'rolling_12' as window_name,
        measured.part_id,
        measured.is_total
        {%- for measure in all_measures %},
        {{ sum_of('measured.' ~ measure) if measure in measures else 'cast(null as bigint)' }}
            as {{ measure }}
        {%- endfor %}
    from {{ ref('int_year_measure') }} as measured
    inner join {{ ref('stg_quarter') }} as year_end on measured.quarter = year_end.quarter
    inner join {{ ref('stg_quarter') }} as ending
        on ending.quarter_index - year_end.quarter_index in (0, 4, 8)
    where measured.subject = '{{ subject }}' and measured.window_name = 'rolling_4'
    group by measured.series_id, ending.quarter, measured.part_id, measured.is_total
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    {{ columns_of_window(all_measures) }}
from summed
{{ joined_to_coverage() }}
