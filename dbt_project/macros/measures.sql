{# 1 where the condition holds, 0 where it does not or where it cannot be known. #}
{% macro count_when(condition) -%}
    cast(case when {{ condition }} then 1 else 0 end as bigint)
{%- endmacro %}

{# 1 where the condition holds and the column has one of the codes, otherwise 0. #}
{% macro count_coded(condition, column, codes) -%}
    {{ count_when(condition ~ ' and ' ~ column ~ " in ('" ~ codes | join("', '") ~ "')") }}
{%- endmacro %}

{# Days from `start` to `stop` where the condition holds, otherwise 0. #}
{% macro days_when(condition, start, stop) -%}
    cast(case when {{ condition }} then {{ days_between(start, stop) }} else 0 end as bigint)
{%- endmacro %}

{# `number` to `places` decimals, halves away from zero for positive numbers: engines round halves differently. #}
{% macro round_half_up(number, places) -%}
    floor({{ number }} * power(10, {{ places }}) + 0.5) / power(10, {{ places }})
{%- endmacro %}
