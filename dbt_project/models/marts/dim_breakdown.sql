select
    part_id,
    breakdown,
    breakdown_value,
    title_en,
    title_cy,
    label_en,
    label_cy,
    definition_en,
    definition_cy,
    subject,
    status,
    source,
    position
from {{ ref('stg_breakdown') }}
