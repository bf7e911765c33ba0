select
    sender_code,
    return_name,
    quarter
from {{ source('validated', 'returns_due') }}
