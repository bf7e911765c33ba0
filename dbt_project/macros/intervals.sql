{# Statistics that fit small numbers, in formulas any engine can work out. Each is checked in
   tests/warehouse/test_statistics.py against the distribution itself, summed or integrated. #}

{# Standard normal quantiles: 0.975 for an interval of 95 per cent, 0.999 for one of 99.8. #}
{% macro normal_quantile(level) -%}
    {%- set quantiles = {'95': '1.959963984540054', '99.8': '3.090232306167813'} -%}
    cast({{ quantiles[level] }} as double)
{%- endmacro %}

{# Fewer cases than this are too few to tell (proposed): at ten, a share of one half reads 24 to 76
   per cent. The variable minimum_to_tell sets another number. #}
{% macro minimum_to_tell() -%}
    cast({{ var('minimum_to_tell', 10) | int }} as bigint)
{%- endmacro %}

{# --- proportions --- #}

{# Wilson score interval of a share, as a fraction from 0 to 1; empty unless
   0 <= part <= whole and whole > 0. Rounding cannot carry a bound outside 0 to 1. #}
{% macro wilson_lower(part, whole, level) -%}
    {{ _wilson(part, whole, level, '-') }}
{%- endmacro %}

{% macro wilson_upper(part, whole, level) -%}
    {{ _wilson(part, whole, level, '+') }}
{%- endmacro %}

{% macro _wilson(part, whole, level, sign) -%}
    {%- set z = normal_quantile(level) -%}
    {%- set k = 'cast(' ~ part ~ ' as double)' -%}
    {%- set n = 'cast(' ~ whole ~ ' as double)' -%}
    case
        when {{ whole }} > 0 and {{ part }} between 0 and {{ whole }} then
            {# At zero and at the whole one bound is exact; worked out it misses by 1e-17. #}
            {%- if sign == '-' %}
            case when {{ part }} = 0 then cast(0 as double) else
            {%- else %}
            case when {{ part }} = {{ whole }} then cast(1 as double) else
            {%- endif %}
                (
                    {{ k }} + {{ z }} * {{ z }} / 2 {{ sign }} {{ z }} * sqrt(
                        {{ k }} * ({{ n }} - {{ k }}) / {{ n }} + {{ z }} * {{ z }} / 4
                    )
                ) / ({{ n }} + {{ z }} * {{ z }})
            end
    end
{%- endmacro %}

{# --- means --- #}

{# Sample standard deviation from whole-number sums: exact until the one division and root, so the
   same on every run, however the engine shares out the rows. Empty below two cases. #}
{% macro deviation_of_sums(cases, total, total_of_squares) -%}
    case
        when {{ cases }} > 1 then sqrt(
            cast({{ cases }} * {{ total_of_squares }} - {{ total }} * {{ total }} as double)
            / (cast({{ cases }} as double) * cast({{ cases }} - 1 as double))
        )
    end
{%- endmacro %}

{# --- medians and quartiles --- #}

{# Rank of the case that bounds the median from below; as many from the top bounds it from above.

   The largest j with P(X < j) <= 0.025 for X binomial (cases, 1/2), so that the interval holds
   the median with 95 per cent or more. Worked out by an expansion which gives the exact j for
   every number of cases from 1 to 60,000; 0, no such rank, below six. #}
{% macro median_rank(cases) -%}
    {%- set z = normal_quantile('95') -%}
    {%- set n = 'cast(' ~ cases ~ ' as double)' -%}
    cast(floor(
        ({{ n }} + 1) / 2
        - sqrt({{ n }}) / 2 * ({{ z }} - ({{ z }} * {{ z }} * {{ z }} - {{ z }}) / (12 * {{ n }}))
    ) as bigint)
{%- endmacro %}

{# --- counts --- #}

{# Bounds of the 95 per cent interval of a count that varies as Poisson's law says: exact up to
   nine, Byar's formula from ten, where it is within 0.17 per cent of the exact bound. #}
{% macro poisson_lower(events) -%}
    {{ _poisson(events, events, '-', [
        0, 0.025317808, 0.242209279, 0.618672123, 1.089865374,
        1.623486390, 2.201894253, 2.814363052, 3.453832177, 4.115373097,
    ]) }}
{%- endmacro %}

{% macro poisson_upper(events) -%}
    {{ _poisson(events, events ~ ' + 1', '+', [
        3.688879454, 5.571643391, 7.224687668, 8.767273070, 10.241588675,
        11.668332079, 13.059474023, 14.422675362, 15.763189220, 17.084803451,
    ]) }}
{%- endmacro %}

{% macro _poisson(events, shifted, sign, table) -%}
    {%- set x = 'cast(' ~ shifted ~ ' as double)' -%}
    case
        {%- for bound in table %}
        when {{ events }} = {{ loop.index0 }} then cast({{ bound }} as double)
        {%- endfor %}
        when {{ events }} >= {{ table | length }} then
            {{ x }} * power(
                1 - 1 / (9 * {{ x }}) {{ sign }} {{ normal_quantile('95') }} / (3 * sqrt({{ x }})), 3
            )
    end
{%- endmacro %}

{# --- what is measured, and what is watched --- #}

{# `months` calendar months after `start`, where the number is a column: a limit of a part of a
   month adds its days at 365.25 / 12 a month. #}
{% macro add_months_of_column(start, months) -%}
    cast(
        {{ dbt.dateadd(
            'day',
            'cast(floor((' ~ months ~ ' - floor(' ~ months ~ ')) * 365.25 / 12) as integer)',
            'cast(' ~ dbt.dateadd('month', 'cast(floor(' ~ months ~ ') as integer)', start)
            ~ ' as date)'
        ) }} as date
    )
{%- endmacro %}

{# `days` days after `start`, where the number is a column. #}
{% macro add_days_of_column(start, days) -%}
    cast({{ dbt.dateadd('day', 'cast(floor(' ~ days ~ ') as integer)', start) }} as date)
{%- endmacro %}
