{# Every mart and its columns, as (database, table, position, column, kind, description); position 0
   is the table. Known only while a model is compiled, when all of them have been read. #}
{% macro marts_described() -%}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.fqn[1] == 'marts' -%}
            {%- set holder = 'restricted' if node.fqn[2] == 'restricted' else 'warehouse' -%}
            {%- do rows.append((holder, node.name, 0, '', node.config.materialized, node.description)) -%}
            {%- set declared = columns_declared(node.config.meta.declared) if node.config.meta.declared else [] -%}
            {%- for column in declared -%}
                {%- do rows.append(
                    (holder, node.name, loop.index, column.name, column.type, column.description)
                ) -%}
            {%- endfor -%}
            {%- for column in node.columns.values() -%}
                {%- do rows.append((
                    holder, node.name, declared | length + loop.index, column.name, column.data_type,
                    column.description
                )) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(rows | sort) }}
{%- endmacro %}

{# A text as SQL writes it. #}
{% macro quoted(value) -%}
    {{ return("'" ~ (value | replace("'", "''")) ~ "'") }}
{%- endmacro %}
