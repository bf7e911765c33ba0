select
    submission.submission_id,
    submission.sender_code,
    submission.quarter,
    submission.is_in_force,
    judged.return_name,
    judged.is_nil,
    judged.rows_read,
    judged.rows_accepted,
    judged.rows_quarantined,
    judged.errors,
    judged.queries
from {{ source('validated', 'submission_returns') }} as judged
inner join {{ ref('stg_submission') }} as submission
    on judged.submission_id = submission.submission_id
