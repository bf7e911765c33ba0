{# What sources/ declares, read while a model is compiled, so that no column of a declaration has to
   be listed again in SQL. While dbt parses, nothing is written yet and the lists are empty. #}

{# Columns of a table that pipelines/warehouse/tables.py writes, in order: name, type, description. #}
{% macro columns_declared(table) -%}
    {%- set columns = [] -%}
    {%- set declared = source('validated', 'declared_columns') -%}
    {%- if execute -%}
        {%- set query -%}
            select column_name, data_type, description
            from {{ declared }}
            where table_name = '{{ table }}'
            order by position
        {%- endset -%}
        {%- for row in run_query(query).rows -%}
            {%- do columns.append({'name': row[0], 'type': row[1], 'description': row[2]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(columns) }}
{%- endmacro %}

{# Descriptions of declared columns as comments of the finished table. dbt does the same for columns
   that are described in a properties file; these are described where they are declared. #}
{% macro comment_on_declared(relation, table) -%}
    {%- for column in columns_declared(table) %}
    comment on column {{ relation }}.{{ column.name }} is {{ quoted(column.description) }};
    {%- endfor %}
{%- endmacro %}

{# A text as SQL writes it. #}
{% macro quoted(value) -%}
    {{ return("'" ~ (value | replace("'", "''")) ~ "'") }}
{%- endmacro %}

{# Fields of which a blank is a gap: return, field, column, and the column with which it is one. #}
{% macro fields_expected() -%}
    {%- set fields = [] -%}
    {%- set declared = source('validated', 'fields_expected') -%}
    {%- if execute -%}
        {%- set query -%}
            select return_name, field, column_name, expected_with
            from {{ declared }}
            order by return_name, field
        {%- endset -%}
        {%- for row in run_query(query).rows -%}
            {%- do fields.append(
                {'return': row[0], 'name': row[1], 'column': row[2], 'with': row[3]}
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(fields) }}
{%- endmacro %}
