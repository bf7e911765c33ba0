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

{# Columns of a model that are not part of its key. While dbt parses, no table exists yet and the
   list is empty. #}
{% macro columns_beyond_key(relation) -%}
    {%- set keys = ['sender_code', 'quarter', 'child_pseudonym', 'household_pseudonym'] -%}
    {%- set names = [] -%}
    {%- if execute -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- if column.name not in keys -%}
                {%- do names.append(column.name) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(names) }}
{%- endmacro %}

{# `number` to `places` decimals, halves away from zero for positive numbers: engines round halves differently. #}
{% macro round_half_up(number, places) -%}
    floor({{ number }} * power(10, {{ places }}) + 0.5) / power(10, {{ places }})
{%- endmacro %}
