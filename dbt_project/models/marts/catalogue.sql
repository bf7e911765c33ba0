-- What the warehouse holds, as its own comments say, for tools that do not show comments.
select
    database_name,
    table_name,
    position,
    column_name,
    kind,
    description
from {{ source('validated', 'marts_described') }}
