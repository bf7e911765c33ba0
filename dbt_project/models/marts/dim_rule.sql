select
    code,
    return_name,
    field,
    severity,
    sentence_en,
    sentence_cy,
    source
from {{ ref('stg_rule') }}
