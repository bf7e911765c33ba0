select
    sender_code,
    quarter,
    indicator_id,
    reason,
    count(*) as cases
from {{ ref('fct_case_explanation') }}
group by sender_code, quarter, indicator_id, reason
