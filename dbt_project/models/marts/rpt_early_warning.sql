-- How many children wait on each clock, how many are past its limit, and how many will be soon if
-- nothing happens.
{%- set limits = warning_limits() %}
with

watched as (

    select
        indicator.indicator_id,
        indicator.nation_code
    from {{ ref('stg_indicator_nation') }} as indicator
    where indicator.indicator_id in (
        {%- for limit in limits %}
        '{{ limit.indicator_id }}'{{ ',' if not loop.last }}
        {%- endfor %}
    )

),

benchmark_in_force as (

    select
        quarter.quarter,
        benchmark.indicator_id,
        benchmark.nation_code,
        benchmark.benchmark
    from {{ ref('stg_benchmark') }} as benchmark
    inner join {{ ref('stg_quarter') }} as quarter
        on quarter.quarter >= coalesce(benchmark.since, quarter.quarter)
        and quarter.quarter <= coalesce(benchmark.until, quarter.quarter)

),

declared as (
    {%- for limit in limits %}

    select
        '{{ limit.indicator_id }}' as indicator_id,
        cast({{ limit.months if limit.months is not none else 'null' }} as double) as months
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

asked as (

    select
        watched.indicator_id,
        coverage.place_code,
        coverage.quarter,
        coalesce(declared.months, benchmark.benchmark) as limit_value,
        case when declared.months is not null then 'months' else indicator.unit end as limit_unit,
        coverage.returns_expected,
        coverage.returns_accepted
    from {{ ref('int_coverage_by_window') }} as coverage
    inner join {{ ref('stg_place') }} as place on coverage.place_code = place.place_code
    inner join watched on place.nation_code = watched.nation_code
    inner join declared on watched.indicator_id = declared.indicator_id
    inner join {{ ref('stg_indicator') }} as indicator
        on watched.indicator_id = indicator.indicator_id
    left join benchmark_in_force as benchmark
        on watched.indicator_id = benchmark.indicator_id
        and watched.nation_code = benchmark.nation_code
        and coverage.quarter = benchmark.quarter
    where coverage.subject = 'child'
        and coverage.membership_basis = 'at_the_time'
        and coverage.window_name = 'quarter'
        -- No limit, no row: a benchmark that is not in force.
        and coalesce(declared.months, benchmark.benchmark) is not null

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
