-- What each household's row says, in numbers that may be summed over households and places and, where
-- they are flows, over quarters. A new measure is one more column and its entry in
-- sources/measures/adopter.yaml, which says what it counts; everything downstream finds it there.
with

household as (

    select
        adopter.*,
        quarter.first_day,
        quarter.last_day,
        {{ in_quarter('adopter.approved_on') }} as is_approved_now
    from {{ ref('stg_adopter') }} as adopter
    inner join {{ ref('stg_quarter') }} as quarter
        on adopter.quarter = quarter.quarter

),

limited as (

    select
        *,
        {{ add_working_weeks('enquired_on', 2) }} as meeting_due_on,
        {{ add_months('approved_on', 1) }} as register_due_on,
        coalesce(approved_on <= last_day, false) as is_approved,
        coalesce(left_on <= last_day, false) as is_gone,
        coalesce(left_reason, 'unknown') as reason,
        coalesce(left_reason, 'unknown') = 'placed_and_completed' as is_completed,
        -- Fast track without a start of stage one: excluded by the published rule.
        is_approved_now
        and approved_on >= registered_on
        and (
            coalesce(is_fast_track, 'unknown') <> 'yes' or stage_one_started_on is not null
        ) as is_approved_after_registration,
        {{ in_quarter('stage_one_completed_on') }} as is_stage_one_completed_now,
        {{ in_quarter('matched_on') }} and matched_on >= approved_on
            as is_matched_after_approval_now
    from household

),

due as (

    select
        *,
        {{ in_quarter('meeting_due_on') }}
        and not coalesce(left_on <= meeting_due_on and initial_meeting_on is null, false)
            as is_due_for_meeting,
        {{ in_quarter('register_due_on') }}
        and not coalesce(left_on between approved_on and register_due_on, false)
            as is_due_on_register
    from limited

)

select
    sender_code,
    quarter,
    household_pseudonym,

    case when {{ in_quarter('enquired_on') }} then 1 else 0 end as households_enquired,
    case when is_approved_now then 1 else 0 end as households_approved,
    case when is_approved_now and approved_on >= enquired_on
        then 1 else 0 end as households_approved_after_enquiry,
    case when is_approved_now and approved_on >= enquired_on
        then {{ days_between('enquired_on', 'approved_on') }} else 0
    end as days_from_enquiry_to_approval,
    case when {{ in_quarter('matched_on') }} then 1 else 0 end as households_matched,
    case when approved_on <= last_day and not coalesce(matched_on <= last_day, false)
        and not coalesce(left_on <= last_day, false)
        then 1 else 0 end as households_waiting_for_match,
    case when is_due_for_meeting then 1 else 0 end as households_due_for_initial_meeting,
    case when is_due_for_meeting and initial_meeting_on <= meeting_due_on
        then 1 else 0 end as households_met_within_ten_working_days,
    case when is_stage_one_completed_now and stage_one_completed_on >= stage_one_started_on
        then 1 else 0 end as households_completed_stage_one,
    case when is_stage_one_completed_now and stage_one_completed_on >= stage_one_started_on
        and not {{ more_than_months_after('stage_one_completed_on', 'stage_one_started_on', 2) }}
        then 1 else 0 end as households_completed_stage_one_within_two_months,
    case when is_stage_one_completed_now and stage_one_completed_on >= stage_one_started_on
        then {{ days_between('stage_one_started_on', 'stage_one_completed_on') }} else 0
    end as days_in_stage_one,
    case when is_stage_one_completed_now and stage_one_completed_on >= registered_on
        then 1 else 0 end as households_completed_stage_one_after_registration,
    case when is_stage_one_completed_now and stage_one_completed_on >= registered_on
        and not {{ more_than_months_after('stage_one_completed_on', 'registered_on', 2) }}
        then 1 else 0 end as households_completed_stage_one_within_two_months_of_registration,
    case when is_stage_one_completed_now and stage_one_completed_on >= registered_on
        then {{ days_between('registered_on', 'stage_one_completed_on') }} else 0
    end as days_from_registration_to_end_of_stage_one,
    case when is_approved_now and approved_on >= stage_two_started_on
        then 1 else 0 end as households_approved_after_stage_two,
    case when is_approved_now and approved_on >= stage_two_started_on
        and not {{ more_than_months_after('approved_on', 'stage_two_started_on', 4) }}
        then 1 else 0 end as households_approved_within_four_months_of_stage_two,
    case when is_approved_now and approved_on >= stage_two_started_on
        then {{ days_between('stage_two_started_on', 'approved_on') }} else 0
    end as days_in_stage_two,
    case when is_approved_after_registration
        then 1 else 0 end as households_approved_after_registration,
    case when is_approved_after_registration
        and not {{ more_than_months_after('approved_on', 'registered_on', 6) }}
        then 1 else 0 end as households_approved_within_six_months_of_registration,
    case when is_due_on_register then 1 else 0 end as households_due_for_register_referral,
    case when is_due_on_register and referred_to_register_on <= register_due_on
        then 1 else 0 end as households_referred_to_register_within_a_month,
    case when is_matched_after_approval_now then 1 else 0 end as households_matched_after_approval,
    case when is_matched_after_approval_now
        and not {{ more_than_months_after('matched_on', 'approved_on', 3) }}
        then 1 else 0 end as households_matched_within_three_months_of_approval,
    case when is_matched_after_approval_now
        and {{ at_least_months_after('matched_on', 'approved_on', 3) }}
        then 1 else 0 end as households_matched_three_months_after_approval,
    case when {{ in_quarter('left_on') }} and registered_on <= left_on
        and not coalesce(approved_on <= left_on, false) and reason = 'withdrew'
        then 1 else 0 end as households_withdrawn_before_approval,
    case when {{ in_quarter('left_on') }} and left_on >= approved_on and not is_completed
        then 1 else 0 end as households_left_after_approval,
    case when registered_on <= last_day and not is_approved and not is_gone
        then 1 else 0 end as households_waiting_for_approval,
    case when is_approved and not coalesce(placed_on <= last_day, false) and not is_gone
        then 1 else 0 end as households_waiting_for_placement

from due
