-- Every indicator, everywhere it applies: numerator measure over denominator measure, one indicator
-- after the other. These are the totals; fct_indicator_part has the parts of the breakdowns.
{%- set catalogue = indicators_in_catalogue() %}
{%- set measured = ref('int_measure_by_window') %}
{%- set missing = ref('int_missing_by_window') %}
with

figure as (
{%- for indicator in catalogue %}
{%- set is_last = loop.last %}
{%- set is_stock = indicator.timing == 'stock' %}
{%- set is_count = indicator.denominator is none %}
{#- A stock is what stood on the last day, however long the window. #}
{%- for window_name in (indicator.windows if is_stock else [none]) %}

    select
        '{{ indicator.indicator_id }}' as indicator_id,
        measured.place_code,
        measured.nation_code,
        measured.quarter,
        {% if is_stock %}'{{ window_name }}'{% else %}measured.window_name{% endif %} as window_name,
        measured.membership_basis,
        measured.breakdown,
        measured.breakdown_value,
        measured.{{ indicator.numerator }} as numerator,
        {{ denominator_of(indicator) }} as denominator,
        {{ value_of(indicator) }} as value,
        {%- if is_count %}
        -- Only where every missing return could be filled and was due in every quarter.
        case
            when missing.returns_missing = missing.returns_filled
                and measured.quarters_due = measured.quarters_in_window
                then {{ indicator.multiplier }} * (
                    cast(coalesce(measured.{{ indicator.numerator }}, 0) as double)
                    + missing.{{ indicator.numerator }}
                )
        end as estimate,
        case when missing.returns_filled = missing.returns_filled_by_own_mean
            then 'own_mean' else 'own_or_nation_mean'
        end as possible_method,
        {%- else %}
        cast(null as double) as estimate,
        cast(null as {{ dbt.type_string() }}) as possible_method,
        {%- endif %}
        measured.returns_expected,
        measured.returns_accepted,
        measured.quarters_in_window,
        measured.quarters_covered,
        {{ indicator.rounding }} as rounding,
        '{{ indicator.direction }}' as direction,
        '{{ indicator.definition_status }}' as definition_status
    from {{ measured }} as measured
    {%- if is_count %}
    left join {{ missing }} as missing
        on measured.place_code = missing.place_code
        and measured.subject = missing.subject
        and measured.quarter = missing.quarter
        and measured.window_name = missing.window_name
    {%- endif %}
    where
        measured.is_total
        and {{ applies(indicator, ['quarter'] if is_stock else indicator.windows) }}
    {{ 'union all' if not (is_last and loop.last) }}
{%- endfor %}
{%- endfor %}

),

shown as (

    select
        *,
        {{ round_half_up('value', 'rounding') }} as value_rounded
    from figure

)

select
    shown.indicator_id,
    shown.place_code,
    shown.quarter,
    shown.window_name,
    shown.membership_basis,
    shown.breakdown,
    shown.breakdown_value,
    shown.numerator,
    shown.denominator,
    cast(shown.value as double) as value,
    cast(shown.value_rounded as double) as value_rounded,
    cast(shown.estimate as double) as estimate,
    case when shown.estimate is not null then shown.possible_method end as estimate_method,
    shown.returns_expected,
    shown.returns_accepted,
    shown.quarters_in_window,
    shown.quarters_covered,
    shown.returns_accepted = shown.returns_expected
    and shown.quarters_covered = shown.quarters_in_window as is_complete,
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
left join {{ ref('stg_benchmark') }} as benchmark
    on shown.indicator_id = benchmark.indicator_id
    and shown.nation_code = benchmark.nation_code
    and shown.quarter >= coalesce(benchmark.since, shown.quarter)
    and shown.quarter <= coalesce(benchmark.until, shown.quarter)
