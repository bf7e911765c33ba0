select
    support.sender_code,
    support.quarter,
    support.support_requests,
    support.support_assessments_started,
    support.support_assessments_completed,
    support.support_plans_agreed,
    support.families_receiving_support,
    support.birth_parents_offered_support,
    support.birth_parents_taking_up_support,
    support.contact_arrangements_active,
    support.contact_exchanges
from {{ source('validated', 'support') }} as support
inner join {{ ref('stg_submission') }} as submission
    on support.submission_id = submission.submission_id
where submission.is_in_force and support.row_status = 'accepted'
