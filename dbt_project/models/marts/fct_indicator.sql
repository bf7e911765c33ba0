-- Every indicator, everywhere it applies: numerator measure over denominator measure.
with

asked as (

    select
        indicator.indicator_id,
        indicator.numerator as numerator_measure,
        indicator.denominator as denominator_measure,
        indicator.multiplier,
        indicator.rounding,
        indicator.direction,
        indicator.definition_status,
        indicator.subject,
        place.place_code,
        place.nation_code,
        coverage.quarter,
        wanted.window_name,
        -- A stock is what stood on the last day, however long the window.
        case when indicator.timing = 'stock' then 'quarter' else wanted.window_name end
            as summed_over,
        coverage.returns_expected,
        coverage.returns_accepted,
        coverage.quarters_in_window,
        coverage.quarters_covered
    from {{ ref('stg_indicator') }} as indicator
    inner join {{ ref('stg_indicator_nation') }} as nation
        on indicator.indicator_id = nation.indicator_id
    inner join {{ ref('stg_indicator_window') }} as wanted
        on indicator.indicator_id = wanted.indicator_id
    inner join {{ ref('stg_place') }} as place
        on nation.nation_code = place.nation_code
    inner join {{ ref('int_coverage_by_window') }} as coverage
        on place.place_code = coverage.place_code
        and indicator.subject = coverage.subject
        and case when indicator.timing = 'stock' then 'quarter' else wanted.window_name end
        = coverage.window_name
        and coverage.quarter >= coalesce(indicator.since, coverage.quarter)
        and coverage.quarter <= coalesce(indicator.until, coverage.quarter)

),

answered as (

    select
        asked.*,
        numerator.amount as numerator,
        denominator.amount as denominator,
        case
            when asked.denominator_measure is null
                then asked.multiplier * cast(numerator.amount as double)
            else
                asked.multiplier
                * cast(numerator.amount as double)
                / nullif(cast(denominator.amount as double), 0)
        end as value
    from asked
    left join {{ ref('int_measure_by_window') }} as numerator
        on asked.place_code = numerator.place_code
        and asked.subject = numerator.subject
        and asked.numerator_measure = numerator.measure
        and asked.quarter = numerator.quarter
        and asked.summed_over = numerator.window_name
    left join {{ ref('int_measure_by_window') }} as denominator
        on asked.place_code = denominator.place_code
        and asked.subject = denominator.subject
        and asked.denominator_measure = denominator.measure
        and asked.quarter = denominator.quarter
        and asked.summed_over = denominator.window_name

),

shown as (

    select
        *,
        {{ round_half_up('value', 'rounding') }} as value_rounded
    from answered

)

select
    shown.indicator_id,
    shown.place_code,
    shown.quarter,
    shown.window_name,
    'total' as breakdown,
    'total' as breakdown_value,
    shown.numerator,
    shown.denominator,
    cast(shown.value as double) as value,
    cast(shown.value_rounded as double) as value_rounded,
    shown.returns_expected,
    shown.returns_accepted,
    shown.quarters_in_window,
    shown.quarters_covered,
    shown.returns_accepted = shown.returns_expected
    and shown.quarters_covered = shown.quarters_in_window as is_complete,
    benchmark.benchmark,
    -- Compared as shown, so that no reader meets "13.0 months, benchmark 13, not met".
    case
        when shown.value_rounded is null or benchmark.benchmark is null then null
        when shown.direction = 'lower' and shown.value_rounded <= benchmark.benchmark then 'met'
        when shown.direction = 'higher' and shown.value_rounded >= benchmark.benchmark then 'met'
        when shown.direction in ('lower', 'higher') then 'not met'
    end as benchmark_met,
    shown.definition_status
from shown
left join {{ ref('stg_benchmark') }} as benchmark
    on shown.indicator_id = benchmark.indicator_id
    and shown.nation_code = benchmark.nation_code
    and shown.quarter >= coalesce(benchmark.since, shown.quarter)
    and shown.quarter <= coalesce(benchmark.until, shown.quarter)
