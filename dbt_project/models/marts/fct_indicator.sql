-- Every indicator, everywhere it applies: numerator measure over denominator measure, one indicator
-- after the other. These are the totals; fct_indicator_part has the parts of the breakdowns.
{%- set catalogue = indicators_in_catalogue() %}
{%- set counts = catalogue | selectattr('denominator', 'none') | list %}
{%- set measured = ref('int_total_by_window') %}
{%- set missing = ref('int_missing_by_window') %}
with

figure as (
{%- for indicator in catalogue %}
{%- set is_last = loop.last %}
{%- set is_stock = indicator.timing == 'stock' %}
{#- A stock is what stood on the last day, however long the window. #}
{%- for window_name in (indicator.windows if is_stock else [none]) %}

    select
        '{{ indicator.indicator_id }}' as indicator_id,
        measured.place_code,
        measured.nation_code,
        measured.quarter,
        {% if is_stock %}'{{ window_name }}'{% else %}measured.window_name{% endif %} as window_name,
        measured.membership_basis,
        measured.{{ indicator.numerator }} as numerator,
        {{ denominator_of(indicator) }} as denominator,
        {{ indicator.multiplier }} * cast(measured.{{ indicator.numerator }} as double)
        {%- if indicator.denominator is not none %}
        / nullif(cast(measured.{{ indicator.denominator }} as double), 0)
        {%- endif %} as value,
        measured.returns_expected,
        measured.returns_accepted,
        measured.quarters_in_window,
        measured.quarters_covered,
        measured.quarters_due,
        {{ indicator.rounding }} as rounding,
        '{{ indicator.direction }}' as direction,
        '{{ indicator.definition_status }}' as definition_status
    from {{ measured }} as measured
    where {{ applies(indicator, ['quarter'] if is_stock else indicator.windows) }}
    {{ 'union all' if not (is_last and loop.last) }}
{%- endfor %}
{%- endfor %}

),

-- What the returns missing from a nation would probably have added to each count. The stock of a
-- long window is that of its last quarter, and so is what is missing from it.
added as (
{%- for indicator in counts %}
{%- set is_last = loop.last %}
{%- set is_stock = indicator.timing == 'stock' %}
{%- for window_name in (indicator.windows if is_stock else [none]) %}

    select
        '{{ indicator.indicator_id }}' as indicator_id,
        missing.place_code,
        missing.quarter,
        {% if is_stock %}'{{ window_name }}'{% else %}missing.window_name{% endif %} as window_name,
        {{ indicator.multiplier }} * missing.{{ indicator.numerator }} as amount,
        case when missing.returns_filled = missing.returns_filled_by_own_mean
            then 'own_mean' else 'own_or_nation_mean'
        end as method
    from {{ missing }} as missing
    where
        missing.subject = '{{ indicator.subject }}'
        and missing.window_name in {{ listed(['quarter'] if is_stock else indicator.windows) }}
        -- Only where every missing return could be filled.
        and missing.returns_missing = missing.returns_filled
    {{ 'union all' if not (is_last and loop.last) }}
{%- endfor %}
{%- else %}

    select
        '' as indicator_id,
        missing.place_code,
        missing.quarter,
        missing.window_name,
        cast(null as double) as amount,
        '' as method
    from {{ missing }} as missing
{%- endfor %}

),

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
    'total' as breakdown,
    'total' as breakdown_value,
    shown.numerator,
    shown.denominator,
    cast(shown.value as double) as value,
    cast(shown.value_rounded as double) as value_rounded,
    -- Only where a return was due in every quarter of the window.
    cast(
        case when shown.quarters_due = shown.quarters_in_window
            then coalesce(shown.value, 0) + added.amount
        end as double
    ) as estimate,
    case when shown.quarters_due = shown.quarters_in_window then added.method end
        as estimate_method,
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
left join added
    on shown.indicator_id = added.indicator_id
    and shown.place_code = added.place_code
    and shown.quarter = added.quarter
    and shown.window_name = added.window_name
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
