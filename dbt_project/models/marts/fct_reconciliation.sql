select
    submission_id,
    sender_code,
    quarter,
    return_name,
    rows_in_ledger,
    rows_staged,
    rows_measured,
    is_reconciled
from {{ ref('int_reconciliation') }}
