select
    code_list,
    code,
    label_en,
    label_cy
from {{ ref('stg_code') }}
