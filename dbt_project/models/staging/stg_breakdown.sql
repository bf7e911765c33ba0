select
    declared.*,
    cast(row_number() over (order by declared.breakdown, declared.breakdown_value) as integer)
        as part_id
from {{ source('validated', 'breakdowns') }} as declared
