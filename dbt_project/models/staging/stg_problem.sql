select
    problem.submission_id,
    problem.sender_code,
    problem.quarter,
    problem.return_name,
    problem.field,
    problem.code,
    problem.severity
from {{ source('validated', 'problems') }} as problem
inner join {{ ref('stg_submission') }} as submission
    on problem.submission_id = submission.submission_id
