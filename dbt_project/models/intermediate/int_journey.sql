-- How long children waited from placement order to match, as known in each quarter: matched, left
-- without a match or still waiting after so many days.
--
-- A journey begins with an order on the return of the quarter it was granted in, so that a place
-- that began to report later brings no children in by halves: those matched before would be
-- missing. Its end is given by the first return that reports one, and later returns change no
-- figure of an earlier quarter.
{%- set cohort_quarters = 12 %}
with

accepted as (

    select
        returned.sender_code,
        returned.quarter,
        quarter.quarter_index,
        quarter.first_day,
        quarter.last_day
    from {{ ref('int_return') }} as returned
    inner join {{ ref('stg_quarter') }} as quarter on returned.quarter = quarter.quarter
    where returned.return_name = 'child' and returned.is_due and returned.is_accepted

),

seen as (

    select
        child.sender_code,
        child.child_pseudonym,
        accepted.quarter,
        accepted.quarter_index,
        accepted.first_day,
        accepted.last_day,
        {{ ordered_on() }} as ordered_on,
        -- Placed, or adopted, with no match on the return: matched by that day at the latest.
        coalesce(child.matched_on, child.placed_on, child.adoption_order_on) as family_found_on,
        child.disrupted_on,
        case when {{ is_plan_ended() }} then child.plan_ended_on end as plan_ended_on,
        case when {{ is_referral_withdrawn() }} then child.referral_withdrawn_on end
            as referral_withdrawn_on
    from {{ ref('stg_child') }} as child
    inner join accepted
        on child.sender_code = accepted.sender_code and child.quarter = accepted.quarter

),

granted as (

    select
        sender_code,
        child_pseudonym,
        quarter as granted_quarter,
        quarter_index as granted_index,
        ordered_on,
        -- A newer order is a journey of its own and ends what can be said of this one.
        lead(quarter_index) over (
            partition by sender_code, child_pseudonym order by quarter_index nulls last
        ) as next_granted_index
    from seen
    where {{ in_quarter('ordered_on') }}

),

followed as (

    select
        granted.sender_code,
        granted.child_pseudonym,
        granted.granted_quarter,
        granted.granted_index,
        granted.ordered_on,
        seen.quarter_index as seen_index,
        seen.last_day as seen_until,
        case
            when seen.family_found_on <= seen.last_day
                -- A match that was over before the order belongs to an earlier plan.
                and not coalesce(
                    seen.disrupted_on >= seen.family_found_on
                    and seen.disrupted_on <= granted.ordered_on,
                    false
                )
                then seen.family_found_on
        end as matched_on,
        case
            when seen.plan_ended_on is null then seen.referral_withdrawn_on
            when seen.referral_withdrawn_on < seen.plan_ended_on then seen.referral_withdrawn_on
            else seen.plan_ended_on
        end as left_on
    from granted
    inner join seen
        on granted.sender_code = seen.sender_code
        and granted.child_pseudonym = seen.child_pseudonym
        and seen.quarter_index >= granted.granted_index
        and seen.quarter_index < granted.granted_index + {{ cohort_quarters }}
        and seen.quarter_index < coalesce(granted.next_granted_index, seen.quarter_index + 1)

),

until_told as (

    select
        *,
        min(case when matched_on is not null or left_on is not null then seen_index end) over (
            partition by sender_code, child_pseudonym, granted_index
        ) as told_index
    from followed

),

state as (

    select
        sender_code,
        granted_quarter,
        seen_index as from_index,
        -- What a return says holds until the next one, and an end for good.
        case
            when seen_index = told_index then granted_index + {{ cohort_quarters }}
            else coalesce(
                lead(seen_index) over (
                    partition by sender_code, child_pseudonym, granted_index
                    order by seen_index nulls last
                ),
                granted_index + {{ cohort_quarters }}
            )
        end as before_index,
        case
            when matched_on is null and left_on is null then 'waiting'
            when matched_on <= coalesce(left_on, matched_on) then 'matched'
            else 'left'
        end as outcome,
        case
            when matched_on is null and left_on is null
                then {{ days_between('ordered_on', 'seen_until') }}
            when matched_on <= coalesce(left_on, matched_on)
                then {{ days_between('ordered_on', 'matched_on') }}
            else {{ days_between('ordered_on', 'left_on') }}
        end as days
    from until_told
    where seen_index <= coalesce(told_index, seen_index)

)

select
    tree.place_code,
    quarter.quarter,
    -- Matched before the order is a wait of zero, as in A2.
    cast(case when state.days < 0 then 0 else state.days end as bigint) as days,
    cast(sum(case when state.outcome = 'matched' then 1 else 0 end) as bigint) as matched,
    cast(sum(case when state.outcome = 'left' then 1 else 0 end) as bigint)
        as left_without_match,
    cast(sum(case when state.outcome = 'waiting' then 1 else 0 end) as bigint)
        as still_waiting
from state
inner join {{ ref('stg_quarter') }} as quarter
    on quarter.quarter_index >= state.from_index and quarter.quarter_index < state.before_index
inner join {{ ref('int_place_tree') }} as tree
    on state.sender_code = tree.sender_code
    and state.granted_quarter = tree.quarter
    and tree.membership_basis = 'at_the_time'
inner join {{ ref('stg_place') }} as place
    on tree.place_code = place.place_code
    and place.kind in ('nation', 'region', 'regional_agency', 'partnership')
group by
    tree.place_code,
    quarter.quarter,
    cast(case when state.days < 0 then 0 else state.days end as bigint)
