-- Every measure in every place and window, beside what it rests on. Totals are there wherever a
-- return is due, empty if nothing was accepted; parts of a breakdown where somebody falls into them.
-- Stocks are those of the window 'quarter' and empty in the others. A view, so that the wide rows
-- are written once.
{{ config(materialized='view') }}
{%- set measures = all_measures_in_use() %}
{%- set widths = [ref('int_place_measure'), ref('int_year_measure'), ref('int_three_year_measure')] %}
{%- for measured in widths %}
select
    part_id,
    place_code,
    membership_basis,
    nation_code,
    subject,
    quarter,
    window_name,
    breakdown,
    breakdown_value,
    is_total,
    returns_expected,
    returns_accepted,
    quarters_in_window,
    quarters_covered,
    quarters_due
    {%- for measure in measures %},
    {{ measure }}
    {%- endfor %}
from {{ measured }}
where returns_expected is not null

union all
{% endfor %}
select
    coverage_number * 1000 as part_id,
    place_code,
    membership_basis,
    nation_code,
    subject,
    quarter,
    window_name,
    'total' as breakdown,
    'total' as breakdown_value,
    true as is_total,
    returns_expected,
    returns_accepted,
    quarters_in_window,
    quarters_covered,
    quarters_due
    {%- for measure in measures %},
    cast(null as bigint) as {{ measure }}
    {%- endfor %}
from {{ ref('int_coverage_by_window') }}
where returns_accepted = 0
