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
from {{ ref('stg_break_in_series') }}
