-- Every measure in every place, quarter by quarter, in total and by each breakdown: the sums of its
-- senders by the membership of the basis. One subject after the other, so that no time goes into
-- adding up columns that are empty for it.
{%- set subjects = ('child', 'adopter', 'support') %}
with

summed as (
    {%- for subject in subjects %}
    {%- set measures = measures_in_use(subject) %}

    select
        tree.place_code,
        tree.membership_basis,
        '{{ subject }}' as subject,
        measured.quarter,
        'quarter' as window_name,
        measured.breakdown,
        measured.breakdown_value
        {%- for measure in all_measures_in_use() %},
        {{ sum_of('measured.' ~ measure) if measure in measures else 'cast(null as bigint)' }}
            as {{ measure }}
        {%- endfor %}
    from {{ ref('int_sender_measure') }} as measured
    inner join {{ ref('int_place_tree') }} as tree
        on measured.sender_code = tree.sender_code and measured.quarter = tree.quarter
    where measured.subject = '{{ subject }}'
    group by
        tree.place_code,
        tree.membership_basis,
        measured.quarter,
        measured.breakdown,
        measured.breakdown_value
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    {{ columns_of_window(all_measures_in_use()) }}
from summed
{{ joined_to_coverage(ref('int_coverage_by_window'), ref('stg_breakdown')) }}
