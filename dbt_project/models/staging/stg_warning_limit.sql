select
    indicator_id,
    clock_start,
    waits_for,
    counts,
    months,
    passed,
    status,
    source
from {{ source('validated', 'warning_limits') }}
