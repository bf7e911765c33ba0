-- What each child's row says, in numbers that may be summed over children, places and quarters.
--
-- A new measure is one more column at the end, with a caption above it. Everything downstream
-- finds it by itself. Columns called children_waiting_… are stocks on the quarter's last day and
-- may not be summed over quarters; every other measure is a flow.
with

child as (

    select
        child.*,
        quarter.first_day,
        quarter.last_day
    from {{ ref('stg_child') }} as child
    inner join {{ ref('stg_quarter') }} as quarter
        on child.quarter = quarter.quarter

),

journey as (

    select
        *,
        -- The date stands for the order or for the consent; an unknown kind is taken as an order.
        placement_order_on as authorised_on,
        case when coalesce(authority_to_place, 'placement_order') <> 'consent'
            then placement_order_on
        end as ordered_on,
        -- The disruption is of the placement reported, unless a newer family is reported already.
        case when disrupted_on <= last_day and disrupted_on >= placed_on
            then disrupted_on
        end as placement_ended_on,
        case
            when disrupted_on > last_day then null
            when disrupted_on > matched_on then disrupted_on
            when disrupted_on = matched_on and placed_on = matched_on then disrupted_on
        end as match_ended_on,
        -- A decision after the plan ended or the referral was withdrawn is a new plan.
        coalesce(adoption_order_on <= last_day, false)
        or coalesce(
            plan_ended_on <= last_day
            and not coalesce(should_be_placed_decision_on > plan_ended_on, false),
            false
        )
        or coalesce(
            referral_withdrawn_on <= last_day
            and not coalesce(should_be_placed_decision_on > referral_withdrawn_on, false)
            and not coalesce(referred_on > referral_withdrawn_on, false),
            false
        ) as is_plan_over
    from child

),

flagged as (

    select
        *,
        {{ in_quarter('matched_on') }} as is_matched_now,
        {{ in_quarter('placed_on') }} as is_placed_now,
        {{ in_quarter('adoption_order_on') }} as is_adopted_now,
        coalesce(placed_on <= last_day, false)
        and placement_ended_on is null as is_in_placement,
        coalesce(matched_on <= last_day, false)
        and match_ended_on is null as is_in_match,
        coalesce(is_adopting_together_placement, '') = 'yes' as is_through_adopting_together,
        -- A foster carer's adoption: the child moved in when the foster placement began.
        case when is_foster_carer_adoption = 'yes'
            then foster_placement_started_on
            else placed_on
        end as moved_in_on
    from journey

),

clocked as (

    select
        *,
        -- Not yet placed: includes a child who is matched and about to move.
        not is_plan_over and not is_in_placement as is_waiting_for_placement,
        -- Not yet matched; somebody placed without a match date is no longer waiting for one.
        not is_plan_over and not is_in_placement and not is_in_match as is_waiting_for_match,
        -- The scorecard's A2: placed before the adoption order, with a placement order and a match.
        is_adopted_now
        and placed_on <= adoption_order_on
        and ordered_on is not null
        and matched_on is not null as is_adopted_for_a2
    from flagged

)

select
    sender_code,
    quarter,
    child_pseudonym,

    -- Referred to the adoption service in the quarter.
    {{ count_when(in_quarter('referred_on')) }} as children_referred,
    -- Referral withdrawn in the quarter.
    {{ count_when(in_quarter('referral_withdrawn_on')) }} as children_referral_withdrawn,
    -- Agency decided in the quarter that the child should be placed for adoption.
    {{ count_when(in_quarter('should_be_placed_decision_on')) }}
        as children_should_be_placed_decided,
    -- Placement order granted in the quarter; consents do not count.
    {{ count_when(in_quarter('ordered_on')) }} as children_placement_order_granted,
    -- Referred to Adopting Together in the quarter.
    {{ count_when(in_quarter('adopting_together_referred_on')) }}
        as children_referred_to_adopting_together,

    -- Matched in the quarter.
    {{ count_when('is_matched_now') }} as children_matched,
    -- Matched in the quarter, more than six months after the should-be-placed decision.
    {{ count_when(
        'is_matched_now and '
        ~ more_than_months_after('matched_on', 'should_be_placed_decision_on', 6)
    ) }} as children_matched_over_six_months_after_decision,
    -- Matched in the quarter, with a placement order.
    {{ count_when('is_matched_now and ordered_on is not null') }}
        as children_matched_with_placement_order,
    -- Days from placement order to match, of children matched in the quarter; 0 if matched first.
    {{ days_when('is_matched_now and matched_on > ordered_on', 'ordered_on', 'matched_on') }}
        as days_from_placement_order_to_match,

    -- Placed for adoption in the quarter.
    {{ count_when('is_placed_now') }} as children_placed,
    -- Placed in the quarter with a family found by Adopting Together.
    {{ count_when('is_placed_now and is_through_adopting_together') }}
        as children_placed_through_adopting_together,
    -- Placed in the quarter, on or after becoming looked after.
    {{ count_when('is_placed_now and placed_on >= entered_care_on') }}
        as children_placed_after_entering_care,
    -- Days from becoming looked after to placement, of children placed in the quarter.
    {{ days_when('is_placed_now and placed_on >= entered_care_on', 'entered_care_on', 'placed_on') }}
        as days_from_entering_care_to_placement,
    -- Placed in the quarter, on or after the authority to place (placement order or consent).
    {{ count_when('is_placed_now and placed_on >= authorised_on') }}
        as children_placed_with_authority,
    -- Placed in the quarter within six months of the authority to place; exactly six is within.
    {{ count_when(
        'is_placed_now and placed_on >= authorised_on and not '
        ~ more_than_months_after('placed_on', 'authorised_on', 6)
    ) }} as children_placed_within_six_months_of_authority,
    -- Days from authority to place to placement, of children placed in the quarter.
    {{ days_when('is_placed_now and placed_on >= authorised_on', 'authorised_on', 'placed_on') }}
        as days_from_authority_to_placement,
    -- Placed in the quarter, more than six months after the should-be-placed decision.
    {{ count_when(
        'is_placed_now and '
        ~ more_than_months_after('placed_on', 'should_be_placed_decision_on', 6)
    ) }} as children_placed_over_six_months_after_decision,
    -- Days from should-be-placed decision to placement, of children placed over six months later.
    {{ days_when(
        'is_placed_now and '
        ~ more_than_months_after('placed_on', 'should_be_placed_decision_on', 6),
        'should_be_placed_decision_on', 'placed_on'
    ) }} as days_from_decision_to_placement_over_six_months,

    -- Adopted in the quarter.
    {{ count_when('is_adopted_now') }} as children_adopted,
    -- Adopted in the quarter, placed on or after entering care (A1).
    {{ count_when('is_adopted_now and placed_on >= entered_care_on') }}
        as children_adopted_after_placement,
    -- Days from entering care to placement, of children adopted in the quarter (A1).
    {{ days_when('is_adopted_now and placed_on >= entered_care_on', 'entered_care_on', 'placed_on') }}
        as days_from_entering_care_to_placement_of_adopted,
    -- Adopted in the quarter, placed before the adoption order, with placement order and match (A2).
    {{ count_when('is_adopted_for_a2') }} as children_adopted_with_placement_order,
    -- Days from placement order to match, of children adopted; 0 if matched before the order (A2).
    {{ days_when('is_adopted_for_a2 and matched_on > ordered_on', 'ordered_on', 'matched_on') }}
        as days_from_placement_order_to_match_of_adopted,
    -- Adopted in the quarter, with the day of moving in with the family known (A10).
    {{ count_when('is_adopted_now and moved_in_on >= entered_care_on') }}
        as children_adopted_after_moving_in,
    -- Days from entering care to moving in, of children adopted in the quarter (A10).
    {{ days_when('is_adopted_now and moved_in_on >= entered_care_on', 'entered_care_on', 'moved_in_on') }}
        as days_from_entering_care_to_moving_in_of_adopted,

    -- Plan for adoption ended in the quarter.
    {{ count_when(in_quarter('plan_ended_on')) }} as children_plan_ended,
    -- Placement disrupted in the quarter.
    {{ count_when(in_quarter('disrupted_on')) }} as children_disrupted,

    -- Waiting with authority to place (order or consent), not yet placed.
    {{ count_when('is_waiting_for_placement and authorised_on <= last_day') }}
        as children_waiting_with_authority,
    -- Waiting with authority to place, authorised more than six months before.
    {{ count_when(
        'is_waiting_for_placement and ' ~ more_than_months_after('last_day', 'authorised_on', 6)
    ) }} as children_waiting_over_six_months_with_authority,
    -- Waiting with authority to place, authorised nine months before or more.
    {{ count_when(
        'is_waiting_for_placement and ' ~ at_least_months_after('last_day', 'authorised_on', 9)
    ) }} as children_waiting_nine_months_with_authority,
    -- Waiting for a match, on the Adoption Register.
    {{ count_when('is_waiting_for_match and referred_to_register_on <= last_day') }}
        as children_waiting_on_register,
    -- Waiting for a match, referred to the register more than six months before.
    {{ count_when(
        'is_waiting_for_match and ' ~ more_than_months_after('last_day', 'referred_to_register_on', 6)
    ) }} as children_waiting_over_six_months_on_register,
    -- Waiting with a placement order (consents do not count), not yet placed.
    {{ count_when('is_waiting_for_placement and ordered_on <= last_day') }}
        as children_waiting_with_placement_order,
    -- Waiting with a placement order, 18 months or more since entering care.
    {{ count_when(
        'is_waiting_for_placement and ordered_on <= last_day and '
        ~ at_least_months_after('last_day', 'entered_care_on', 18)
    ) }} as children_waiting_eighteen_months_since_entering_care,
    -- Waiting with a placement order, 12 months or more since the order.
    {{ count_when(
        'is_waiting_for_placement and ' ~ at_least_months_after('last_day', 'ordered_on', 12)
    ) }} as children_waiting_twelve_months_since_placement_order,
    -- Waiting with a placement order, 18 months or more since the order.
    {{ count_when(
        'is_waiting_for_placement and ' ~ at_least_months_after('last_day', 'ordered_on', 18)
    ) }} as children_waiting_eighteen_months_since_placement_order

from clocked
