-- Which households make up a numerator or a denominator: the way from any figure back to its rows.
{%- for measure in measures_of('adopter') %}
select
    measured.sender_code,
    measured.quarter,
    measured.household_pseudonym,
    '{{ measure }}' as measure,
    measured.{{ measure }} as amount
from {{ ref('int_adopter_measures') }} as measured
where measured.{{ measure }} <> 0
{{ 'union all' if not loop.last }}
{%- else %}
select sender_code, quarter, household_pseudonym, '' as measure, cast(0 as bigint) as amount
from {{ ref('int_adopter_measures') }}
{%- endfor %}
