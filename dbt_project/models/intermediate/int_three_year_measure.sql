-- Every flow in every place over the twelve quarters that end with each quarter. Three rolling years
-- make twelve quarters, which takes a quarter of the sums.
{%- set subjects = ('child', 'adopter', 'support') %}
with

summed as (
    {%- for subject in subjects %}
    {%- set measures = measures_in_use(subject, 'flow') %}

    select
        measured.place_code,
        measured.membership_basis,
        '{{ subject }}' as subject,
        ending.quarter,
        'rolling_12' as window_name,
        measured.breakdown,
        measured.breakdown_value
        {%- for measure in all_measures_in_use() %},
        {{ sum_of('measured.' ~ measure) if measure in measures else 'cast(null as bigint)' }}
            as {{ measure }}
        {%- endfor %}
    from {{ ref('int_year_measure') }} as measured
    inner join {{ ref('stg_quarter') }} as year_end on measured.quarter = year_end.quarter
    inner join {{ ref('stg_quarter') }} as ending
        on ending.quarter_index - year_end.quarter_index in (0, 4, 8)
    where measured.subject = '{{ subject }}' and measured.window_name = 'rolling_4'
    group by
        measured.place_code,
        measured.membership_basis,
        ending.quarter,
        measured.breakdown,
        measured.breakdown_value
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    {{ columns_of_window(all_measures_in_use()) }}
from summed
{{ joined_to_coverage(ref('int_coverage_by_window'), ref('stg_breakdown')) }}
