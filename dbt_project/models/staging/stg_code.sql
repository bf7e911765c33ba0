select
    code_list,
    code,
    label_en,
    label_cy
from {{ source('validated', 'code_lists') }}
