{# 1 where the condition holds, 0 where it does not or where it cannot be known. #}
{% macro count_when(condition) -%}
    cast(case when {{ condition }} then 1 else 0 end as bigint)
{%- endmacro %}

{# Days from `start` to `stop` where the condition holds, otherwise 0. #}
{% macro days_when(condition, start, stop) -%}
    cast(case when {{ condition }} then {{ days_between(start, stop) }} else 0 end as bigint)
{%- endmacro %}

{# Names of a model's measures: every column that is not part of its key.

   A new measure is therefore one more column of int_<subject>_measures and nothing else. The
   built table is asked, not the reference, so that unit tests find the same columns. #}
{% macro measure_columns(model_name) -%}
    {%- set keys = ['sender_code', 'quarter', 'child_pseudonym', 'household_pseudonym'] -%}
    {%- set names = [] -%}
    {%- if execute -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.' ~ model_name] -%}
        {%- set relation = api.Relation.create(
            database=node.database, schema=node.schema, identifier=node.alias
        ) -%}
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
