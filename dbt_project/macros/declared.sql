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

{# The same as a list for `select`: `place.place_code, place.name_en, …`. #}
{% macro select_declared(table, alias) -%}
    {%- for column in columns_declared(table) %}
    {{ alias }}.{{ column.name }}
    {{- ',' if not loop.last }}
    {%- else %}
    {{ alias }}.*
    {%- endfor %}
{%- endmacro %}

{# Descriptions of declared columns as comments of the finished table. dbt does the same for columns
   that are described in a properties file; these are described where they are declared. #}
{% macro comment_on_declared(relation, table) -%}
    {%- for column in columns_declared(table) %}
    comment on column {{ relation }}.{{ column.name }} is {{ quoted(column.description) }};
    {%- endfor %}
{%- endmacro %}

{# The declared measures by name, in alphabetical order; of one subject, if one is named. #}
{% macro measures_declared(subject=none) -%}
    {%- set measures = {} -%}
    {%- set declared = ref('stg_measure') -%}
    {%- if execute -%}
        {%- set query -%}
            select measure, event, needs_placement_order
            from {{ declared }}
            {%- if subject %}
            where subject = '{{ subject }}'
            {%- endif %}
            order by measure
        {%- endset -%}
        {%- for row in run_query(query).rows -%}
            {%- do measures.update({row[0]: {'event': row[1], 'needs_placement_order': row[2]}}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(measures) }}
{%- endmacro %}

{# Names of the measures of a subject. #}
{% macro measures_of(subject) -%}
    {{ return(measures_declared(subject).keys() | list) }}
{%- endmacro %}
