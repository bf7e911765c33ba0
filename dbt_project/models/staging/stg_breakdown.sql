select
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
