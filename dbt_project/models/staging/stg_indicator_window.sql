select
    indicator_id,
    window_name
from {{ source('validated', 'indicator_windows') }}
