-- How many children wait on each clock, how many are past its limit, and how many will be soon if
-- nothing happens.
with

asked as (

    select
        limited.indicator_id,
        coverage.place_code,
        coverage.quarter,
        cast(coalesce(limited.months, benchmark.benchmark) as double) as limit_value,
        case when limited.months is not null then 'months' else indicator.unit end as limit_unit,
        coverage.returns_expected,
        coverage.returns_accepted
    from {{ ref('stg_warning_limit') }} as limited
    inner join {{ ref('stg_indicator') }} as indicator
        on limited.indicator_id = indicator.indicator_id
    inner join {{ ref('stg_indicator_nation') }} as watched
        on limited.indicator_id = watched.indicator_id
    inner join {{ ref('int_coverage_by_window') }} as coverage
        on watched.nation_code = coverage.nation_code
        and coverage.subject = 'child'
        and coverage.membership_basis = 'at_the_time'
        and coverage.window_name = 'quarter'
    left join {{ ref('stg_benchmark') }} as benchmark
        on watched.indicator_id = benchmark.indicator_id
        and watched.nation_code = benchmark.nation_code
        and coverage.quarter >= coalesce(benchmark.since, coverage.quarter)
        and coverage.quarter <= coalesce(benchmark.until, coverage.quarter)
    -- No limit, no row: a benchmark that is not in force.
    where limited.months is not null or benchmark.benchmark is not null

),

counted as (

    select
        tree.place_code,
        warning.quarter,
        warning.indicator_id,
        count(*) as children_waiting,
        sum(case when warning.days_until_passed <= 0 then 1 else 0 end) as children_waiting_past
        {%- for days in warning_horizons() %},
        sum(case when warning.days_until_passed between 1 and {{ days }} then 1 else 0 end)
            as children_waiting_within_{{ days }}_days
        {%- endfor %}
    from {{ ref('int_early_warning') }} as warning
    inner join {{ ref('int_place_tree') }} as tree
        on warning.sender_code = tree.sender_code
        and warning.quarter = tree.quarter
        and tree.membership_basis = 'at_the_time'
    group by tree.place_code, warning.quarter, warning.indicator_id

)

select
    asked.indicator_id,
    asked.place_code,
    asked.quarter,
    asked.limit_value,
    asked.limit_unit,
    {%- for name in ['children_waiting', 'children_waiting_past'] %}
    cast(
        case when asked.returns_accepted > 0 then coalesce(counted.{{ name }}, 0) end as bigint
    ) as {{ name }},
    {%- endfor %}
    {%- for days in warning_horizons() %}
    cast(
        case when asked.returns_accepted > 0
            then coalesce(counted.children_waiting_within_{{ days }}_days, 0)
        end as bigint
    ) as children_waiting_within_{{ days }}_days,
    {%- endfor %}
    asked.returns_expected,
    asked.returns_accepted
from asked
left join counted
    on asked.place_code = counted.place_code
    and asked.quarter = counted.quarter
    and asked.indicator_id = counted.indicator_id
