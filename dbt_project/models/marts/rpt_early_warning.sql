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
        sum(case when warning.days_until_passed <= 0 then 1 else 0 end) as children_waiting_past,
        sum(case when warning.days_until_passed between 1 and 30 then 1 else 0 end)
            as children_waiting_within_30_days,
        sum(case when warning.days_until_passed between 1 and 60 then 1 else 0 end)
            as children_waiting_within_60_days,
        sum(case when warning.days_until_passed between 1 and 90 then 1 else 0 end)
            as children_waiting_within_90_days
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
    cast(
        case when asked.returns_accepted > 0 then coalesce(counted.children_waiting, 0)
        end as bigint
    ) as children_waiting,
    cast(
        case when asked.returns_accepted > 0 then coalesce(counted.children_waiting_past, 0)
        end as bigint
    ) as children_waiting_past,
    cast(
        case when asked.returns_accepted > 0 then coalesce(counted.children_waiting_within_30_days, 0)
        end as bigint
    ) as children_waiting_within_30_days,
    cast(
        case when asked.returns_accepted > 0 then coalesce(counted.children_waiting_within_60_days, 0)
        end as bigint
    ) as children_waiting_within_60_days,
    cast(
        case when asked.returns_accepted > 0 then coalesce(counted.children_waiting_within_90_days, 0)
        end as bigint
    ) as children_waiting_within_90_days,
    asked.returns_expected,
    asked.returns_accepted
from asked
left join counted
    on asked.place_code = counted.place_code
    and asked.quarter = counted.quarter
    and asked.indicator_id = counted.indicator_id
