select
    submission.submission_id,
    submission.sender_code,
    submission.quarter,
    submission.is_in_force,
    reported.return_name,
    reported.is_nil,
    reported.rows_read,
    reported.rows_accepted,
    reported.rows_quarantined,
    reported.errors,
    reported.queries
from {{ source('validated', 'submission_returns') }} as reported
inner join {{ ref('stg_submission') }} as submission
    on reported.submission_id = submission.submission_id
