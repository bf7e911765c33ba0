select
    sender_code,
    return_name,
    quarter,
    is_due,
    status,
    is_late,
    submission_id,
    received_at,
    rows_read,
    rows_accepted,
    rows_quarantined,
    errors,
    queries,
    cast(refused_deliveries as bigint) as refused_deliveries,
    last_refused_at
from {{ ref('int_return') }}
