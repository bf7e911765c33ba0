-- Every indicator, everywhere it applies: numerator measure over denominator measure. These are the
-- totals; fct_indicator_part has the parts of the breakdowns.
with

-- The breaks in series that touch a figure, whichever they are.
broken as (

    select
        indicator_id,
        place_code,
        quarter,
        window_name,
        membership_basis,
        max(case when is_in_window then 1 else 0 end) as breaks_in_window
    from {{ ref('fct_indicator_break') }}
    group by indicator_id, place_code, quarter, window_name, membership_basis

),

valued as (

    select
        figure.*,
        indicator.multiplier * cast(figure.numerator as double)
        / case when indicator.denominator is null then 1
            else nullif(cast(figure.denominator as double), 0)
        end as value,
        indicator.multiplier,
        indicator.rounding,
        indicator.direction,
        indicator.definition_status
    from {{ ref('int_indicator_figure') }} as figure
    inner join {{ ref('stg_indicator') }} as indicator
        on figure.indicator_id = indicator.indicator_id

),

shown as (

    select
        *,
        {{ round_half_up('value', 'rounding') }} as value_rounded
    from valued

)

select
    shown.indicator_id,
    shown.place_code,
    shown.quarter,
    shown.window_name,
    shown.membership_basis,
    'total' as breakdown,
    'total' as breakdown_value,
    shown.numerator,
    shown.denominator,
    cast(shown.value as double) as value,
    cast(shown.value_rounded as double) as value_rounded,
    cast(coalesce(shown.value, 0) + shown.multiplier * added.amount as double) as estimate,
    added.method as estimate_method,
    shown.returns_expected,
    shown.returns_accepted,
    shown.quarters_in_window,
    shown.quarters_covered,
    shown.returns_accepted = shown.returns_expected
    and shown.quarters_covered = shown.quarters_in_window as is_complete,
    coalesce(broken.breaks_in_window = 1, false) as has_break_in_window,
    broken.indicator_id is not null as has_break_since_previous,
    cast(benchmark.benchmark as double) as benchmark,
    -- Compared as shown, so that no reader meets '13.0 months, benchmark 13, not met'.
    case
        when shown.value_rounded is null or benchmark.benchmark is null then null
        when shown.direction = 'lower' and shown.value_rounded <= benchmark.benchmark then 'met'
        when shown.direction = 'higher' and shown.value_rounded >= benchmark.benchmark then 'met'
        when shown.direction in ('lower', 'higher') then 'not met'
    end as benchmark_met,
    shown.definition_status
from shown
left join {{ ref('int_missing_added') }} as added
    on shown.indicator_id = added.indicator_id
    and shown.coverage_id = added.coverage_id
left join broken
    on shown.indicator_id = broken.indicator_id
    and shown.place_code = broken.place_code
    and shown.quarter = broken.quarter
    and shown.window_name = broken.window_name
    and shown.membership_basis = broken.membership_basis
left join {{ ref('stg_benchmark') }} as benchmark
    on shown.indicator_id = benchmark.indicator_id
    and shown.nation_code = benchmark.nation_code
    and shown.quarter >= coalesce(benchmark.since, shown.quarter)
    and shown.quarter <= coalesce(benchmark.until, shown.quarter)
