select
    break_id,
    kind,
    indicator_id,
    place_code,
    since,
    title_en,
    title_cy,
    explanation_en,
    explanation_cy,
    status,
    source
from {{ source('validated', 'breaks_in_series') }}
