-- Every indicator broken down: the same fraction as in fct_indicator, for each part in which numerator
-- or denominator is not zero. Where, when and which part stands once for all indicators in dim_part:
-- with seven columns of text in each of some 30 million rows the national build took three times
-- as long. A stock is there once, in the window 'quarter'.
{%- set catalogue = indicators_in_catalogue() %}
{%- set measured = ref('int_measure_by_window') %}
{%- for indicator in catalogue %}
select
    '{{ indicator.indicator_id }}' as indicator_id,
    measured.part_id,
    measured.{{ indicator.numerator }} as numerator,
    {{ denominator_of(indicator) }} as denominator,
    cast({{ value_of(indicator) }} as double) as value
from {{ measured }} as measured
where
    not measured.is_total
    and {{ applies(indicator, ['quarter'] if indicator.timing == 'stock' else indicator.windows) }}
    and (
        measured.{{ indicator.numerator }} <> 0
        {%- if indicator.denominator is not none %}
        or measured.{{ indicator.denominator }} <> 0
        {%- endif %}
    )
{{ 'union all' if not loop.last }}
{%- endfor %}
