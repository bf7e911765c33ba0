-- From placement order to match, with the children still waiting counted for as long as they were
-- watched: Kaplan-Meier, and with it Aalen-Johansen, which does not pretend that a child who
-- left would have been matched one day.
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

),

stepped as (

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

),

at_risk as (

    select
        *,
        cast(sum(matched + left_without_match + still_waiting) over (
            partition by place_code, quarter order by days desc nulls last
            rows between unbounded preceding and current row
        ) as bigint) as at_risk,
        cast(sum(matched + left_without_match + still_waiting) over (
            partition by place_code, quarter
        ) as bigint) as children_ordered
    from stepped

),

share as (

    -- A product is the exponential of a sum of logarithms. There is no logarithm of zero, but a
    -- factor of zero leaves nobody at risk: it can only be the last one.
    select
        *,
        cast(matched as double) / at_risk as matched_share,
        cast(left_without_match as double) / at_risk as left_share,
        case when matched < at_risk then ln(1 - cast(matched as double) / at_risk)
            else cast(0 as double)
        end as log_factor,
        case when matched + left_without_match < at_risk
            then ln(1 - cast(matched + left_without_match as double) / at_risk)
            else cast(0 as double)
        end as log_factor_of_both,
        case when matched < at_risk
            then cast(matched as double) / (cast(at_risk as double) * (at_risk - matched))
            else cast(0 as double)
        end as greenwood_term
    from at_risk

),

summed as (

    select
        *,
        sum(log_factor) over so_far as log_survival,
        sum(greenwood_term) over so_far as greenwood_sum,
        exp(coalesce(
            sum(log_factor_of_both) over (
                partition by place_code, quarter order by days nulls last
                rows between unbounded preceding and 1 preceding
            ),
            0
        )) as waiting_before
    from share
    window so_far as (
        partition by place_code, quarter order by days nulls last
        rows between unbounded preceding and current row
    )

),

estimated as (

    select
        *,
        case when matched = at_risk then cast(0 as double) else exp(log_survival) end as survival,
        -- Greenwood's variance on the scale of log(-log): stays within 0 and 1 for few children.
        -- Before the first match and once nobody is left there is no variance to speak of.
        case when log_survival < 0 and matched < at_risk
            then exp(
                {{ normal_quantile('95') }} * sqrt(greenwood_sum) / (0 - log_survival)
            )
        end as spread,
        sum(waiting_before * matched_share) over so_far as matched_by_then,
        sum(waiting_before * left_share) over so_far as left_by_then
    from summed
    window so_far as (
        partition by place_code, quarter order by days nulls last
        rows between unbounded preceding and current row
    )

),

bounded as (

    select
        *,
        exp(log_survival * spread) as survival_lower_ci,
        exp(log_survival / spread) as survival_upper_ci
    from estimated

)

select
    bounded.place_code,
    bounded.quarter,
    bounded.days,
    bounded.children_ordered,
    bounded.at_risk,
    bounded.matched,
    bounded.left_without_match,
    bounded.still_waiting,
    cast({{ round_half_up('bounded.survival', 9) }} as double) as survival,
    cast({{ round_half_up('bounded.survival_lower_ci', 9) }} as double) as survival_lower_ci,
    cast({{ round_half_up('bounded.survival_upper_ci', 9) }} as double) as survival_upper_ci,
    cast({{ round_half_up('bounded.matched_by_then', 9) }} as double) as matched_by_then,
    cast({{ round_half_up('bounded.left_by_then', 9) }} as double) as left_by_then,
    -- A sum of logarithms may miss one half by 1e-16, and half is half.
    min(case when bounded.survival <= 0.5 + 0.000000001 then bounded.days end) over (
        partition by bounded.place_code, bounded.quarter
    ) as median_days,
    min(case when bounded.survival_lower_ci <= 0.5 then bounded.days end) over (
        partition by bounded.place_code, bounded.quarter
    ) as median_days_lower_ci,
    min(case when bounded.survival_upper_ci <= 0.5 then bounded.days end) over (
        partition by bounded.place_code, bounded.quarter
    ) as median_days_upper_ci,
    coverage.returns_expected,
    coverage.returns_accepted,
    coverage.quarters_in_window,
    coverage.quarters_covered
from bounded
inner join {{ ref('int_coverage_by_window') }} as coverage
    on bounded.place_code = coverage.place_code
    and bounded.quarter = coverage.quarter
    and coverage.subject = 'child'
    and coverage.membership_basis = 'at_the_time'
    and coverage.window_name = 'rolling_12'
