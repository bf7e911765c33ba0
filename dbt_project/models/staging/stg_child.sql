select child.*
from {{ source('validated', 'child') }} as child
inner join {{ ref('stg_submission') }} as submission
    on child.submission_id = submission.submission_id
where submission.is_in_force and child.row_status = 'accepted'
