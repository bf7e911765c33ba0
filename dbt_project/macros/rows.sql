{# Columns turned into rows, named and valued by `name` and `value`: all but `without`, or those
   listed. Empty values give no row. Each engine has a spelling of its own for it. #}
{% macro columns_as_rows(relation, name, value, without=[], columns=[]) -%}
    {{ return(adapter.dispatch('columns_as_rows')(relation, name, value, without, columns)) }}
{%- endmacro %}

{% macro duckdb__columns_as_rows(relation, name, value, without, columns) -%}
    (
        unpivot {{ relation }}
        on {{ columns | join(', ') if columns else '* exclude (' ~ without | join(', ') ~ ')' }}
        into name {{ name }} value {{ value }}
    )
{%- endmacro %}

{# As Spark has it, which wants every column named. #}
{% macro default__columns_as_rows(relation, name, value, without, columns) -%}
    {%- set listed = columns or adapter.get_columns_in_relation(relation)
        | map(attribute='name') | reject('in', without) | list -%}
    (
        select * from {{ relation }}
        unpivot ({{ value }} for {{ name }} in ({{ listed | join(', ') }}))
    )
{%- endmacro %}
