-- What each child's row says, in numbers that may be summed over children and places and, where they
-- are flows, over quarters. A new measure is one more column and its entry in
-- sources/measures/child.yaml, which says what it counts; everything downstream finds it there.
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
        placement_order_on as authorised_on,
        {{ ordered_on() }} as ordered_on,
        {{ is_plan_over() }} as is_plan_over,
        {{ is_in_placement() }} as is_in_placement,
        {{ is_in_match() }} as is_in_match
    from child

),

flagged as (

    select
        *,
        {{ in_quarter('matched_on') }} as is_matched_now,
        {{ in_quarter('placed_on') }} as is_placed_now,
        {{ in_quarter('adoption_order_on') }} as is_adopted_now,
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

),

limited as (

    select
        *,
        {{ add_months('authorised_on', 1) }} as register_due_on,
        is_waiting_for_placement
        and coalesce(should_be_placed_decision_on <= last_day, false)
            as is_waiting_since_decision,
        coalesce(family_finding_status, 'unknown') as family_finding,
        coalesce(placement_source, 'unknown') as family_source,
        coalesce(placement_provider, 'unknown') as family_provider,
        -- NI 061: a disruption reported before the adoption was that of another placement.
        is_adopted_now
        and coalesce(placed_on >= should_be_placed_decision_on, false)
        and not coalesce(disrupted_on <= adoption_order_on, false) as is_adopted_for_ni061
    from clocked

),

due as (

    select
        *,
        -- A plan that ended before the authority was an earlier one.
        coalesce({{ in_quarter('register_due_on') }}, false)
        and not coalesce(plan_ended_on between authorised_on and register_due_on, false)
        and not coalesce(referral_withdrawn_on between authorised_on and register_due_on, false)
            as is_due_on_register,
        is_waiting_since_decision and family_finding = 'active' as is_looking_for_family,
        -- 1 for the oldest of a sibling group that needs one family, and for each single child.
        row_number() over (
            partition by
                sender_code,
                quarter,
                coalesce(sibling_group_pseudonym, child_pseudonym),
                is_waiting_since_decision and family_finding = 'active'
            order by birth_month nulls last, child_pseudonym nulls last
        ) as place_in_group
    from limited

)

select
    sender_code,
    quarter,
    child_pseudonym,

    {{ count_when(in_quarter('referred_on')) }} as children_referred,
    {{ count_when(in_quarter('referral_withdrawn_on')) }} as children_referral_withdrawn,
    {{ count_when(in_quarter('should_be_placed_decision_on')) }}
        as children_should_be_placed_decided,
    {{ count_when(in_quarter('ordered_on')) }} as children_placement_order_granted,
    {{ count_when(in_quarter('adopting_together_referred_on')) }}
        as children_referred_to_adopting_together,

    {{ count_when('is_matched_now') }} as children_matched,
    {{ count_when(
        'is_matched_now and '
        ~ more_than_months_after('matched_on', 'should_be_placed_decision_on', 6)
    ) }} as children_matched_over_six_months_after_decision,
    {{ count_when('is_matched_now and ordered_on is not null') }}
        as children_matched_with_placement_order,
    {{ days_when('is_matched_now and matched_on > ordered_on', 'ordered_on', 'matched_on') }}
        as days_from_placement_order_to_match,

    {{ count_when('is_placed_now') }} as children_placed,
    {{ count_when('is_placed_now and is_through_adopting_together') }}
        as children_placed_through_adopting_together,
    {{ count_when('is_placed_now and placed_on >= entered_care_on') }}
        as children_placed_after_entering_care,
    {{ days_when('is_placed_now and placed_on >= entered_care_on', 'entered_care_on', 'placed_on') }}
        as days_from_entering_care_to_placement,
    {{ count_when('is_placed_now and placed_on >= authorised_on') }}
        as children_placed_with_authority,
    {{ count_when(
        'is_placed_now and placed_on >= authorised_on and not '
        ~ more_than_months_after('placed_on', 'authorised_on', 6)
    ) }} as children_placed_within_six_months_of_authority,
    {{ days_when('is_placed_now and placed_on >= authorised_on', 'authorised_on', 'placed_on') }}
        as days_from_authority_to_placement,
    {{ count_when(
        'is_placed_now and '
        ~ more_than_months_after('placed_on', 'should_be_placed_decision_on', 6)
    ) }} as children_placed_over_six_months_after_decision,
    {{ days_when(
        'is_placed_now and '
        ~ more_than_months_after('placed_on', 'should_be_placed_decision_on', 6),
        'should_be_placed_decision_on', 'placed_on'
    ) }} as days_from_decision_to_placement_over_six_months,

    {{ count_when('is_adopted_now') }} as children_adopted,
    {{ count_when('is_adopted_now and placed_on >= entered_care_on') }}
        as children_adopted_after_placement,
    {{ days_when('is_adopted_now and placed_on >= entered_care_on', 'entered_care_on', 'placed_on') }}
        as days_from_entering_care_to_placement_of_adopted,
    {{ count_when('is_adopted_for_a2') }} as children_adopted_with_placement_order,
    {{ days_when('is_adopted_for_a2 and matched_on > ordered_on', 'ordered_on', 'matched_on') }}
        as days_from_placement_order_to_match_of_adopted,
    {{ count_when('is_adopted_now and moved_in_on >= entered_care_on') }}
        as children_adopted_after_moving_in,
    {{ days_when('is_adopted_now and moved_in_on >= entered_care_on', 'entered_care_on', 'moved_in_on') }}
        as days_from_entering_care_to_moving_in_of_adopted,

    {{ count_when(in_quarter('plan_ended_on')) }} as children_plan_ended,
    {{ count_when(in_quarter('disrupted_on')) }} as children_disrupted,

    {{ count_when('is_waiting_for_placement and authorised_on <= last_day') }}
        as children_waiting_with_authority,
    {{ count_when(
        'is_waiting_for_placement and ' ~ more_than_months_after('last_day', 'authorised_on', 6)
    ) }} as children_waiting_over_six_months_with_authority,
    {{ count_when(
        'is_waiting_for_placement and ' ~ at_least_months_after('last_day', 'authorised_on', 9)
    ) }} as children_waiting_nine_months_with_authority,
    {{ count_when('is_waiting_for_match and referred_to_register_on <= last_day') }}
        as children_waiting_on_register,
    {{ count_when(
        'is_waiting_for_match and ' ~ more_than_months_after('last_day', 'referred_to_register_on', 6)
    ) }} as children_waiting_over_six_months_on_register,
    {{ count_when('is_waiting_for_placement and ordered_on <= last_day') }}
        as children_waiting_with_placement_order,
    {{ count_when(
        'is_waiting_for_placement and ordered_on <= last_day and '
        ~ at_least_months_after('last_day', 'entered_care_on', 18)
    ) }} as children_waiting_eighteen_months_since_entering_care,
    {{ count_when(
        'is_waiting_for_placement and ' ~ at_least_months_after('last_day', 'ordered_on', 12)
    ) }} as children_waiting_twelve_months_since_placement_order,
    {{ count_when(
        'is_waiting_for_placement and ' ~ at_least_months_after('last_day', 'ordered_on', 18)
    ) }} as children_waiting_eighteen_months_since_placement_order,

    {{ count_coded('is_placed_now', 'family_source', ['in_region']) }}
        as children_placed_in_region,
    {{ count_coded('is_placed_now', 'family_source', ['in_nation']) }}
        as children_placed_elsewhere_in_nation,
    {{ count_coded('is_placed_now', 'family_source', ['outside_nation']) }}
        as children_placed_outside_nation,
    {{ count_coded('is_placed_now', 'family_source', ['unknown']) }}
        as children_placed_from_unknown_source,
    {{ count_coded('is_placed_now', 'family_provider', ['PR1']) }}
        as children_placed_by_own_provision,
    {{ count_coded('is_placed_now', 'family_provider', ['PR2']) }}
        as children_placed_by_another_authority,
    {{ count_coded('is_placed_now', 'family_provider', ['PR5']) }}
        as children_placed_by_voluntary_agency,
    {{ count_coded('is_placed_now', 'family_provider', ['PR0', 'PR3', 'PR4']) }}
        as children_placed_by_other_provider,
    {{ count_coded('is_placed_now', 'family_provider', ['unknown']) }}
        as children_placed_by_unknown_provider,
    -- A date says that there was such a placement, though not always of which kind.
    {{ count_when(
        in_quarter('early_permanence_placed_on') ~ " and coalesce(early_permanence, 'unknown') <> 'none'"
    ) }} as children_placed_in_early_permanence,
    {{ count_when('is_placed_now and life_journey_materials_on <= last_day') }}
        as children_placed_with_life_journey_materials,
    {{ count_when('is_adopted_now and life_journey_materials_on <= adoption_order_on') }}
        as children_adopted_with_life_journey_materials,
    {{ count_when('is_placed_now and placed_on >= ordered_on') }}
        as children_placed_with_placement_order,
    {{ days_when('is_placed_now and placed_on >= ordered_on', 'ordered_on', 'placed_on') }}
        as days_from_placement_order_to_placement,
    {{ count_when('is_due_on_register') }} as children_due_for_register_referral,
    {{ count_when('is_due_on_register and referred_to_register_on <= register_due_on') }}
        as children_referred_to_register_within_a_month,
    {{ count_when(
        'is_adopted_now and placed_on >= entered_care_on and not '
        ~ at_least_months_after('placed_on', 'entered_care_on', 14)
    ) }} as children_adopted_placed_under_fourteen_months,
    {{ count_when('is_adopted_for_ni061') }} as children_adopted_after_decision,
    {{ count_when(
        'is_adopted_for_ni061 and not '
        ~ more_than_months_after('placed_on', 'should_be_placed_decision_on', 12)
    ) }} as children_adopted_placed_within_twelve_months_of_decision,

    {{ count_when('is_waiting_since_decision') }} as children_waiting_since_decision,
    {{ count_when(
        'is_waiting_for_placement and ' ~ days_between('ordered_on', 'last_day') ~ ' > 90'
    ) }} as children_waiting_over_ninety_days_since_placement_order,
    {{ count_coded('is_waiting_since_decision', 'family_finding', ['not_started']) }}
        as children_waiting_with_family_finding_not_started,
    {{ count_coded('is_waiting_since_decision', 'family_finding', ['active']) }}
        as children_waiting_with_family_finding_active,
    {{ count_coded('is_waiting_since_decision', 'family_finding', ['link_identified']) }}
        as children_waiting_with_family_finding_link_identified,
    {{ count_coded('is_waiting_since_decision', 'family_finding', ['on_hold']) }}
        as children_waiting_with_family_finding_on_hold,
    {{ count_coded('is_waiting_since_decision', 'family_finding', ['ended']) }}
        as children_waiting_with_family_finding_ended,
    {{ count_coded('is_waiting_since_decision', 'family_finding', ['unknown']) }}
        as children_waiting_with_family_finding_unknown,
    {{ count_when('is_looking_for_family and place_in_group = 1') }}
        as sibling_groups_waiting_with_family_finding_active,

    {{ count_when('is_matched_now and is_through_adopting_together') }}
        as children_matched_through_adopting_together,
    {{ count_when(
        'is_matched_now and is_through_adopting_together'
        ~ ' and matched_on >= adopting_together_referred_on'
    ) }} as children_matched_through_adopting_together_after_referral,
    {{ days_when(
        'is_matched_now and is_through_adopting_together'
        ~ ' and matched_on >= adopting_together_referred_on',
        'adopting_together_referred_on', 'matched_on'
    ) }} as days_from_adopting_together_referral_to_match,
    {{ count_when('is_waiting_for_match and adopting_together_referred_on <= last_day') }}
        as children_waiting_with_adopting_together

from due
