select support.*
from {{ source('validated', 'support') }} as support
inner join {{ ref('stg_submission') }} as submission
    on support.submission_id = submission.submission_id
where submission.is_in_force and support.row_status = 'accepted'
