-- How far every waiting child is from each limit of its nation, on the quarter's last day.
{%- set limits = warning_limits() %}
with

accepted as (

    select
        returned.sender_code,
        returned.quarter,
        quarter.last_day,
        place.nation_code
    from {{ ref('int_return') }} as returned
    inner join {{ ref('stg_quarter') }} as quarter on returned.quarter = quarter.quarter
    inner join {{ ref('stg_place') }} as place on returned.sender_code = place.place_code
    where returned.return_name = 'child' and returned.is_due and returned.is_accepted

),

-- Who waits is said in int_child_measures; a test holds these lines to its counts.
child as (

    select
        child.sender_code,
        child.quarter,
        child.child_pseudonym,
        accepted.last_day,
        accepted.nation_code,
        child.entered_care_on,
        child.should_be_placed_decision_on,
        child.referred_to_register_on,
        child.placement_order_on as authorised_on,
        case when coalesce(child.authority_to_place, 'placement_order') <> 'consent'
            then child.placement_order_on
        end as ordered_on,
        coalesce(child.placed_on <= accepted.last_day, false)
        and not coalesce(
            child.disrupted_on <= accepted.last_day and child.disrupted_on >= child.placed_on,
            false
        ) as is_in_placement,
        coalesce(child.matched_on <= accepted.last_day, false)
        and not coalesce(
            child.disrupted_on <= accepted.last_day
            and (
                child.disrupted_on > child.matched_on
                or (
                    child.disrupted_on = child.matched_on
                    and coalesce(child.placed_on = child.matched_on, false)
                )
            ),
            false
        ) as is_in_match,
        coalesce(child.adoption_order_on <= accepted.last_day, false)
        or coalesce(
            child.plan_ended_on <= accepted.last_day
            and not coalesce(child.should_be_placed_decision_on > child.plan_ended_on, false),
            false
        )
        or coalesce(
            child.referral_withdrawn_on <= accepted.last_day
            and not coalesce(
                child.should_be_placed_decision_on > child.referral_withdrawn_on, false
            )
            and not coalesce(child.referred_on > child.referral_withdrawn_on, false),
            false
        ) as is_plan_over
    from {{ ref('stg_child') }} as child
    inner join accepted
        on child.sender_code = accepted.sender_code and child.quarter = accepted.quarter

),

waiting as (

    select
        *,
        not is_in_match as is_waiting_for_match,
        true as is_waiting_for_placement,
        coalesce(ordered_on <= last_day, false) as has_order,
        coalesce(should_be_placed_decision_on <= last_day, false)
        or coalesce(authorised_on <= last_day, false) as has_plan
    from child
    where not is_plan_over and not is_in_placement

),

-- A limit that is a benchmark holds while the benchmark does.
benchmark_in_force as (

    select
        quarter.quarter,
        benchmark.nation_code,
        benchmark.indicator_id,
        indicator.unit,
        benchmark.benchmark
    from {{ ref('stg_benchmark') }} as benchmark
    inner join {{ ref('stg_indicator') }} as indicator
        on benchmark.indicator_id = indicator.indicator_id
    inner join {{ ref('stg_quarter') }} as quarter
        on quarter.quarter >= coalesce(benchmark.since, quarter.quarter)
        and quarter.quarter <= coalesce(benchmark.until, quarter.quarter)

),

-- Only limits of an indicator that the nation has.
asked as (

    select distinct
        indicator_id,
        nation_code
    from {{ ref('stg_indicator_nation') }}

),

limited as (
    {%- for limit in limits %}

    select
        waiting.sender_code,
        waiting.quarter,
        waiting.child_pseudonym,
        asked.indicator_id,
        waiting.last_day,
        waiting.{{ limit.started }} as started_on,
        {%- if limit.months is none %}
        case when benchmark.unit = 'days'
            then {{ add_days_of_column('waiting.' ~ limit.started, 'benchmark.benchmark') }}
            else {{ add_months_of_column('waiting.' ~ limit.started, 'benchmark.benchmark') }}
        end as limit_on,
        {%- else %}
        {{ add_months('waiting.' ~ limit.started, limit.months) }} as limit_on,
        {%- endif %}
        {{ 1 if limit.passed == 'day after' else 0 }} as days_of_grace
    from waiting
    inner join asked
        on waiting.nation_code = asked.nation_code and asked.indicator_id = '{{ limit.indicator_id }}'
    {%- if limit.months is none %}
    inner join benchmark_in_force as benchmark
        on asked.indicator_id = benchmark.indicator_id
        and asked.nation_code = benchmark.nation_code
        and waiting.quarter = benchmark.quarter
    {%- endif %}
    where waiting.{{ limit.started }} <= waiting.last_day
        and {{ limit.waiting }}
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

)

select
    sender_code,
    quarter,
    child_pseudonym,
    indicator_id,
    cast({{ days_between('started_on', 'last_day') }} as bigint) as days_waited,
    cast({{ days_between('last_day', 'limit_on') }} + days_of_grace as bigint) as days_until_passed
from limited
