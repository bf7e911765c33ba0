select
    adopter.sender_code,
    adopter.quarter,
    adopter.household_pseudonym,
    adopter.adopters_in_household,
    adopter.enquired_on,
    adopter.initial_meeting_on,
    adopter.registered_on,
    adopter.stage_one_started_on,
    adopter.stage_one_completed_on,
    adopter.stage_two_started_on,
    adopter.approved_on,
    adopter.referred_to_register_on,
    adopter.matched_on,
    adopter.placed_on,
    adopter.left_on,
    adopter.left_reason,
    adopter.is_fast_track,
    adopter.is_willing_sibling_group,
    adopter.is_willing_aged_five_and_over,
    adopter.is_willing_additional_needs,
    adopter.is_willing_early_permanence
from {{ source('validated', 'adopter') }} as adopter
inner join {{ ref('stg_submission') }} as submission
    on adopter.submission_id = submission.submission_id
where submission.is_in_force and adopter.row_status = 'accepted'
