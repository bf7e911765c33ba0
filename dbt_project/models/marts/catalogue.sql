-- What the warehouse holds, as its own comments say, for tools that do not show comments. One list
-- of values: DuckDB plans a select for each row far slower.
select
    cast(database_name as {{ dbt.type_string() }}) as database_name,
    cast(table_name as {{ dbt.type_string() }}) as table_name,
    cast(position as bigint) as position,
    cast(nullif(column_name, '') as {{ dbt.type_string() }}) as column_name,
    cast(kind as {{ dbt.type_string() }}) as kind,
    cast(description as {{ dbt.type_string() }}) as description
from (
    values
    {%- for holder, table, position, column, kind, description in marts_described() %}
    (
        {{ quoted(holder) }}, {{ quoted(table) }}, {{ position }}, {{ quoted(column) }},
        {{ quoted(kind) }}, {{ quoted(description) }}
    )
    {{- ',' if not loop.last }}
    {%- else %}
    ('', '', 0, '', '', '')
    {%- endfor %}
) as listed (database_name, table_name, position, column_name, kind, description)
