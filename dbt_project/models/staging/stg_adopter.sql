select adopter.*
from {{ source('validated', 'adopter') }} as adopter
inner join {{ ref('stg_submission') }} as submission
    on adopter.submission_id = submission.submission_id
where submission.is_in_force and adopter.row_status = 'accepted'
