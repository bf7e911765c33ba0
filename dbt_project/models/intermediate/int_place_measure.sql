-- Every measure in every place, quarter by quarter, in total and by each breakdown: the sums of its
-- senders by the membership of the basis. One subject after the other, so that no time goes into
-- adding up columns that are empty for it.
{%- set all_measures = all_measures_in_use() %}
with

summed as (
    {%- for subject in subjects() %}
    {%- set measures = measures_in_use(subject) %}

    select
        series.series_id,
        measured.quarter,
        'quarter' as window_name,
        measured.part_id,
        measured.is_total
        {%- for measure in all_measures %},
        {{ sum_of('measured.' ~ measure) if measure in measures else 'cast(null as bigint)' }}
            as {{ measure }}
        {%- endfor %}
    from {{ ref('int_sender_measure') }} as measured
    inner join {{ ref('int_place_tree') }} as tree
        on measured.sender_code = tree.sender_code and measured.quarter = tree.quarter
    inner join {{ ref('int_series') }} as series
        on tree.place_code = series.place_code
        and tree.membership_basis = series.membership_basis
        and series.subject = '{{ subject }}'
    where measured.subject = '{{ subject }}'
    group by series.series_id, measured.quarter, measured.part_id, measured.is_total
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    {{ columns_of_window(all_measures) }}
from summed
{{ joined_to_coverage() }}
