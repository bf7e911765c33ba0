-- From placement order to match, with the children still waiting counted for as long as they were
-- watched: Kaplan-Meier, and with it Aalen-Johansen, which does not pretend that a child who
-- left would have been matched one day. The journeys are those of int_journey.
with

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
    from {{ ref('int_journey') }}

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
