-- What happened to each child in the quarter, in numbers that may be summed over children, places and
-- quarters. A new flow is one more column and its entry in sources/measures/child.yaml.
with

child as (

    select
        child.*,
        quarter.first_day,
        quarter.last_day,
        child.placement_order_on as authorised_on,
        {{ ordered_on() }} as ordered_on,
        coalesce(child.placement_source, 'unknown') as family_source,
        coalesce(child.placement_provider, 'unknown') as family_provider,
        coalesce(child.is_adopting_together_placement, '') = 'yes' as is_through_adopting_together,
        -- A foster carer's adoption: the child moved in when the foster placement began.
        case when child.is_foster_carer_adoption = 'yes'
            then child.foster_placement_started_on
            else child.placed_on
        end as moved_in_on
    from {{ ref('stg_child') }} as child
    inner join {{ ref('stg_quarter') }} as quarter
        on child.quarter = quarter.quarter

),

limited as (

    select
        *,
        {{ in_quarter('matched_on') }} as is_matched_now,
        {{ in_quarter('placed_on') }} as is_placed_now,
        {{ in_quarter('adoption_order_on') }} as is_adopted_now,
        {{ add_months('authorised_on', 1) }} as register_due_on
    from child

),

due as (

    select
        *,
        -- The scorecard's A2: placed before the adoption order, with a placement order and a match.
        is_adopted_now
        and placed_on <= adoption_order_on
        and ordered_on is not null
        and matched_on is not null as is_adopted_for_a2,
        -- NI 061: a disruption reported before the adoption was that of another placement.
        is_adopted_now
        and coalesce(placed_on >= should_be_placed_decision_on, false)
        and not coalesce(disrupted_on <= adoption_order_on, false) as is_adopted_for_ni061,
        -- A plan that ended before the authority was an earlier one.
        coalesce({{ in_quarter('register_due_on') }}, false)
        and not coalesce(plan_ended_on between authorised_on and register_due_on, false)
        and not coalesce(referral_withdrawn_on between authorised_on and register_due_on, false)
            as is_due_on_register
    from limited

)

select
    sender_code,
    quarter,
    child_pseudonym,

    case when {{ in_quarter('referred_on') }} then 1 else 0 end as children_referred,
    case when {{ in_quarter('referral_withdrawn_on') }}
        then 1 else 0 end as children_referral_withdrawn,
    case when {{ in_quarter('should_be_placed_decision_on') }}
        then 1 else 0 end as children_should_be_placed_decided,
    case when {{ in_quarter('ordered_on') }} then 1 else 0 end as children_placement_order_granted,
    case when {{ in_quarter('adopting_together_referred_on') }}
        then 1 else 0 end as children_referred_to_adopting_together,
    case when is_matched_now then 1 else 0 end as children_matched,
    case when is_matched_now
        and {{ more_than_months_after('matched_on', 'should_be_placed_decision_on', 6) }}
        then 1 else 0 end as children_matched_over_six_months_after_decision,
    case when is_matched_now and ordered_on is not null
        then 1 else 0 end as children_matched_with_placement_order,
    case when is_matched_now and matched_on > ordered_on
        then {{ days_between('ordered_on', 'matched_on') }} else 0
    end as days_from_placement_order_to_match,
    case when is_placed_now then 1 else 0 end as children_placed,
    case when is_placed_now and is_through_adopting_together
        then 1 else 0 end as children_placed_through_adopting_together,
    case when is_placed_now and placed_on >= entered_care_on
        then 1 else 0 end as children_placed_after_entering_care,
    case when is_placed_now and placed_on >= entered_care_on
        then {{ days_between('entered_care_on', 'placed_on') }} else 0
    end as days_from_entering_care_to_placement,
    case when is_placed_now and placed_on >= authorised_on
        then 1 else 0 end as children_placed_with_authority,
    case when is_placed_now and placed_on >= authorised_on
        and not {{ more_than_months_after('placed_on', 'authorised_on', 6) }}
        then 1 else 0 end as children_placed_within_six_months_of_authority,
    case when is_placed_now and placed_on >= authorised_on
        then {{ days_between('authorised_on', 'placed_on') }} else 0
    end as days_from_authority_to_placement,
    case when is_placed_now
        and {{ more_than_months_after('placed_on', 'should_be_placed_decision_on', 6) }}
        then 1 else 0 end as children_placed_over_six_months_after_decision,
    case when is_placed_now
        and {{ more_than_months_after('placed_on', 'should_be_placed_decision_on', 6) }}
        then {{ days_between('should_be_placed_decision_on', 'placed_on') }} else 0
    end as days_from_decision_to_placement_over_six_months,
    case when is_adopted_now then 1 else 0 end as children_adopted,
    case when is_adopted_now and placed_on >= entered_care_on
        then 1 else 0 end as children_adopted_after_placement,
    case when is_adopted_now and placed_on >= entered_care_on
        then {{ days_between('entered_care_on', 'placed_on') }} else 0
    end as days_from_entering_care_to_placement_of_adopted,
    case when is_adopted_for_a2 then 1 else 0 end as children_adopted_with_placement_order,
    case when is_adopted_for_a2 and matched_on > ordered_on
        then {{ days_between('ordered_on', 'matched_on') }} else 0
    end as days_from_placement_order_to_match_of_adopted,
    case when is_adopted_now and moved_in_on >= entered_care_on
        then 1 else 0 end as children_adopted_after_moving_in,
    case when is_adopted_now and moved_in_on >= entered_care_on
        then {{ days_between('entered_care_on', 'moved_in_on') }} else 0
    end as days_from_entering_care_to_moving_in_of_adopted,
    case when {{ in_quarter('plan_ended_on') }} then 1 else 0 end as children_plan_ended,
    case when {{ in_quarter('disrupted_on') }} then 1 else 0 end as children_disrupted,
    case when is_placed_now and family_source = 'in_region'
        then 1 else 0 end as children_placed_in_region,
    case when is_placed_now and family_source = 'in_nation'
        then 1 else 0 end as children_placed_elsewhere_in_nation,
    case when is_placed_now and family_source = 'outside_nation'
        then 1 else 0 end as children_placed_outside_nation,
    case when is_placed_now and family_source = 'unknown'
        then 1 else 0 end as children_placed_from_unknown_source,
    case when is_placed_now and family_provider = 'PR1'
        then 1 else 0 end as children_placed_by_own_provision,
    case when is_placed_now and family_provider = 'PR2'
        then 1 else 0 end as children_placed_by_another_authority,
    case when is_placed_now and family_provider = 'PR5'
        then 1 else 0 end as children_placed_by_voluntary_agency,
    case when is_placed_now and family_provider in ('PR0', 'PR3', 'PR4')
        then 1 else 0 end as children_placed_by_other_provider,
    case when is_placed_now and family_provider = 'unknown'
        then 1 else 0 end as children_placed_by_unknown_provider,
    -- A date says that there was such a placement, though not always of which kind.
    case when {{ in_quarter('early_permanence_placed_on') }}
        and coalesce(early_permanence, 'unknown') <> 'none'
        then 1 else 0 end as children_placed_in_early_permanence,
    case when is_placed_now and life_journey_materials_on <= last_day
        then 1 else 0 end as children_placed_with_life_journey_materials,
    case when is_adopted_now and life_journey_materials_on <= adoption_order_on
        then 1 else 0 end as children_adopted_with_life_journey_materials,
    case when is_placed_now and placed_on >= ordered_on
        then 1 else 0 end as children_placed_with_placement_order,
    case when is_placed_now and placed_on >= ordered_on
        then {{ days_between('ordered_on', 'placed_on') }} else 0
    end as days_from_placement_order_to_placement,
    case when is_due_on_register then 1 else 0 end as children_due_for_register_referral,
    case when is_due_on_register and referred_to_register_on <= register_due_on
        then 1 else 0 end as children_referred_to_register_within_a_month,
    case when is_adopted_now and placed_on >= entered_care_on
        and not {{ at_least_months_after('placed_on', 'entered_care_on', 14) }}
        then 1 else 0 end as children_adopted_placed_under_fourteen_months,
    case when is_adopted_for_ni061 then 1 else 0 end as children_adopted_after_decision,
    case when is_adopted_for_ni061
        and not {{ more_than_months_after('placed_on', 'should_be_placed_decision_on', 12) }}
        then 1 else 0 end as children_adopted_placed_within_twelve_months_of_decision,
    case when is_matched_now and is_through_adopting_together
        then 1 else 0 end as children_matched_through_adopting_together,
    case when is_matched_now and is_through_adopting_together
        and matched_on >= adopting_together_referred_on
        then 1 else 0 end as children_matched_through_adopting_together_after_referral,
    case when is_matched_now and is_through_adopting_together
        and matched_on >= adopting_together_referred_on
        then {{ days_between('adopting_together_referred_on', 'matched_on') }} else 0
    end as days_from_adopting_together_referral_to_match

from due
