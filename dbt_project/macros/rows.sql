{# Columns turned into rows, named and valued by `name` and `value`: all but `without`, or those
   listed in `columns`. Empty values give no row. Each engine has a spelling of its own for it. Where
   `relation` is no table but a query by name, `of` is the table whose columns it has, and `also` what
   it adds to them. #}
{% macro columns_as_rows(relation, name, value, without=[], columns=[], of=none, also=[]) -%}
    {{ return(adapter.dispatch('columns_as_rows')(relation, name, value, without, columns, of, also)) }}
{%- endmacro %}

{% macro duckdb__columns_as_rows(relation, name, value, without, columns, of, also) -%}
    (
        unpivot {{ relation }}
        on {{ columns | join(', ') if columns else '* exclude (' ~ without | join(', ') ~ ')' }}
        into name {{ name }} value {{ value }}
    )
{%- endmacro %}

{# As Spark has it, which wants every column named. #}
{% macro default__columns_as_rows(relation, name, value, without, columns, of, also) -%}
    {%- set known = adapter.get_columns_in_relation(of or relation) | map(attribute='name') | list -%}
    {%- set listed = columns or (known + also) | reject('in', without) | list -%}
    (
        select * from {{ relation }}
        unpivot ({{ value }} for {{ name }} in ({{ listed | join(', ') }}))
    )
{%- endmacro %}
