select
    indicator_id,
    nation_code,
    title_en,
    title_cy,
    reason_en,
    reason_cy,
    definition_status,
    source,
    reviewed_on
from {{ source('validated', 'indicators_not_computed') }}
