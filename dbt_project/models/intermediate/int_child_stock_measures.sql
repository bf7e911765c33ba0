-- Where each child stands on the quarter's last day, in numbers that may be summed over children and
-- places and not over quarters. A new stock is one more column and its entry in
-- sources/measures/child.yaml.
with

child as (

    select
        child.*,
        quarter.first_day,
        quarter.last_day,
        child.placement_order_on as authorised_on,
        {{ ordered_on() }} as ordered_on,
        coalesce(child.family_finding_status, 'unknown') as family_finding
    from {{ ref('stg_child') }} as child
    inner join {{ ref('stg_quarter') }} as quarter
        on child.quarter = quarter.quarter

),

clocked as (

    select
        *,
        -- Not yet placed: includes a child who is matched and about to move.
        not ({{ is_plan_over() }}) and not ({{ is_in_placement() }}) as is_waiting_for_placement,
        {{ is_in_match() }} as is_in_match
    from child

),

waiting as (

    select
        *,
        -- Not yet matched; somebody placed without a match date is no longer waiting for one.
        is_waiting_for_placement and not is_in_match as is_waiting_for_match,
        is_waiting_for_placement
        and coalesce(should_be_placed_decision_on <= last_day, false)
            as is_waiting_since_decision
    from clocked

),

grouped as (

    select
        *,
        -- 1 for the oldest of a sibling group that needs one family, and for each single child.
        row_number() over (
            partition by
                sender_code,
                quarter,
                coalesce(sibling_group_pseudonym, child_pseudonym),
                is_waiting_since_decision and family_finding = 'active'
            order by birth_month nulls last, child_pseudonym nulls last
        ) as place_in_group
    from waiting

)

select
    sender_code,
    quarter,
    child_pseudonym,

    case when is_waiting_for_placement and authorised_on <= last_day
        then 1 else 0 end as children_waiting_with_authority,
    case when is_waiting_for_placement
        and {{ more_than_months_after('last_day', 'authorised_on', 6) }}
        then 1 else 0 end as children_waiting_over_six_months_with_authority,
    case when is_waiting_for_placement
        and {{ at_least_months_after('last_day', 'authorised_on', 9) }}
        then 1 else 0 end as children_waiting_nine_months_with_authority,
    case when is_waiting_for_match and referred_to_register_on <= last_day
        then 1 else 0 end as children_waiting_on_register,
    case when is_waiting_for_match
        and {{ more_than_months_after('last_day', 'referred_to_register_on', 6) }}
        then 1 else 0 end as children_waiting_over_six_months_on_register,
    case when is_waiting_for_placement and ordered_on <= last_day
        then 1 else 0 end as children_waiting_with_placement_order,
    case when is_waiting_for_placement and ordered_on <= last_day
        and {{ at_least_months_after('last_day', 'entered_care_on', 18) }}
        then 1 else 0 end as children_waiting_eighteen_months_since_entering_care,
    case when is_waiting_for_placement and {{ at_least_months_after('last_day', 'ordered_on', 12) }}
        then 1 else 0 end as children_waiting_twelve_months_since_placement_order,
    case when is_waiting_for_placement and {{ at_least_months_after('last_day', 'ordered_on', 18) }}
        then 1 else 0 end as children_waiting_eighteen_months_since_placement_order,
    case when is_waiting_since_decision then 1 else 0 end as children_waiting_since_decision,
    case when is_waiting_for_placement and {{ days_between('ordered_on', 'last_day') }} > 90
        then 1 else 0 end as children_waiting_over_ninety_days_since_placement_order,
    case when is_waiting_since_decision and family_finding = 'not_started'
        then 1 else 0 end as children_waiting_with_family_finding_not_started,
    case when is_waiting_since_decision and family_finding = 'active'
        then 1 else 0 end as children_waiting_with_family_finding_active,
    case when is_waiting_since_decision and family_finding = 'link_identified'
        then 1 else 0 end as children_waiting_with_family_finding_link_identified,
    case when is_waiting_since_decision and family_finding = 'on_hold'
        then 1 else 0 end as children_waiting_with_family_finding_on_hold,
    case when is_waiting_since_decision and family_finding = 'ended'
        then 1 else 0 end as children_waiting_with_family_finding_ended,
    case when is_waiting_since_decision and family_finding = 'unknown'
        then 1 else 0 end as children_waiting_with_family_finding_unknown,
    case when is_waiting_since_decision and family_finding = 'active' and place_in_group = 1
        then 1 else 0 end as sibling_groups_waiting_with_family_finding_active,
    case when is_waiting_for_match and adopting_together_referred_on <= last_day
        then 1 else 0 end as children_waiting_with_adopting_together

from grouped
