-- The totals of every place and window, with the coverage they rest on. Wherever a return is due there is
-- a row, empty if nothing was accepted. Stocks are those of the window 'quarter' and empty in the
-- others.
{%- set measures = all_measures_in_use() %}
with

total as (
    {%- for table in tables_of_windows() %}

    select
        coverage_id
        {%- for measure in measures %},
        {{ measure }}
        {%- endfor %}
    from {{ ref(table) }}
    where is_total and coverage_id is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    coverage.coverage_id,
    coverage.place_code,
    coverage.membership_basis,
    coverage.nation_code,
    coverage.subject,
    coverage.quarter,
    coverage.window_name,
    coverage.returns_expected,
    coverage.returns_accepted,
    coverage.quarters_in_window,
    coverage.quarters_covered,
    coverage.quarters_due
    {%- for measure in measures %},
    total.{{ measure }}
    {%- endfor %}
from {{ ref('int_coverage_by_window') }} as coverage
left join total on coverage.coverage_id = total.coverage_id
