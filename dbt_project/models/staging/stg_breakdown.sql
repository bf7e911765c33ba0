select
    cast(row_number() over (order by breakdown, breakdown_value) as integer) as part_id,
    breakdown,
    title_en,
    title_cy,
    definition_en,
    definition_cy,
    subject,
    status,
    source,
    position,
    breakdown_value,
    label_en,
    label_cy
from {{ source('validated', 'breakdowns') }}
