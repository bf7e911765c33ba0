-- Which children make up a numerator or a denominator: the way from any figure back to its rows.
{%- for measure in measures_of('child') %}
select
    measured.sender_code,
    measured.quarter,
    measured.child_pseudonym,
    '{{ measure }}' as measure,
    measured.{{ measure }} as amount
from {{ ref('int_child_measures') }} as measured
where measured.{{ measure }} <> 0
{{ 'union all' if not loop.last }}
{%- else %}
select sender_code, quarter, child_pseudonym, '' as measure, cast(0 as bigint) as amount
from {{ ref('int_child_measures') }}
{%- endfor %}
