-- How far every waiting child is from each limit of its nation, on the quarter's last day.
{%- set clock_starts = {
    'entered_care': 'entered_care_on',
    'should_be_placed_decision': 'should_be_placed_decision_on',
    'authority_to_place': 'placement_order_on',
    'placement_order': 'ordered_on',
    'register_referral': 'referred_to_register_on',
} %}
with

child as (

    select
        child.sender_code,
        child.quarter,
        child.child_pseudonym,
        quarter.last_day,
        place.nation_code,
        child.entered_care_on,
        child.should_be_placed_decision_on,
        child.placement_order_on,
        child.referred_to_register_on,
        {{ ordered_on() }} as ordered_on,
        {{ is_in_match() }} as is_in_match
    from {{ ref('stg_child') }} as child
    inner join {{ ref('int_return') }} as returned
        on child.sender_code = returned.sender_code
        and child.quarter = returned.quarter
        and returned.return_name = 'child'
    inner join {{ ref('stg_quarter') }} as quarter on child.quarter = quarter.quarter
    inner join {{ ref('stg_place') }} as place on child.sender_code = place.place_code
    where
        returned.is_due
        and returned.is_accepted
        and not ({{ is_plan_over() }})
        and not ({{ is_in_placement() }})

),

-- Every clock that runs for a child, and who it may be asked of.
running as (
    {%- for clock_start, day in clock_starts.items() %}

    select
        sender_code,
        quarter,
        child_pseudonym,
        last_day,
        nation_code,
        '{{ clock_start }}' as clock_start,
        {{ day }} as started_on,
        not is_in_match as is_waiting_for_match,
        coalesce(ordered_on <= last_day, false) as has_order,
        coalesce(should_be_placed_decision_on <= last_day, false)
        or coalesce(placement_order_on <= last_day, false) as has_plan
    from child
    where {{ day }} <= last_day
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- A limit that is a benchmark holds while the benchmark does, in the nation it is set for. Only
-- limits of an indicator that the nation has.
limit_in_force as (

    select
        asked.indicator_id,
        asked.nation_code,
        quarter.quarter,
        declared.clock_start,
        declared.waits_for,
        declared.counts,
        cast(coalesce(declared.months, benchmark.benchmark) as double) as limit_value,
        declared.months is null and indicator.unit = 'days' as is_in_days,
        case when declared.passed = 'day_after' then 1 else 0 end as days_of_grace
    from {{ ref('stg_warning_limit') }} as declared
    inner join {{ ref('stg_indicator') }} as indicator
        on declared.indicator_id = indicator.indicator_id
    inner join {{ ref('stg_indicator_nation') }} as asked
        on declared.indicator_id = asked.indicator_id
    cross join {{ ref('stg_quarter') }} as quarter
    left join {{ ref('stg_benchmark') }} as benchmark
        on asked.indicator_id = benchmark.indicator_id
        and asked.nation_code = benchmark.nation_code
        and quarter.quarter >= coalesce(benchmark.since, quarter.quarter)
        and quarter.quarter <= coalesce(benchmark.until, quarter.quarter)
    where declared.months is not null or benchmark.benchmark is not null

),

limited as (

    select
        running.sender_code,
        running.quarter,
        running.child_pseudonym,
        limit_in_force.indicator_id,
        running.last_day,
        running.started_on,
        limit_in_force.days_of_grace,
        case when limit_in_force.is_in_days
            then {{ add_days_of_column('running.started_on', 'limit_in_force.limit_value') }}
            else {{ add_months_of_column('running.started_on', 'limit_in_force.limit_value') }}
        end as limit_on
    from running
    inner join limit_in_force
        on running.clock_start = limit_in_force.clock_start
        and running.nation_code = limit_in_force.nation_code
        and running.quarter = limit_in_force.quarter
    where
        (limit_in_force.waits_for = 'placement' or running.is_waiting_for_match)
        and (
            limit_in_force.counts = 'everybody'
            or (limit_in_force.counts = 'with_plan' and running.has_plan)
            or (limit_in_force.counts = 'with_order' and running.has_order)
        )

)

select
    sender_code,
    quarter,
    child_pseudonym,
    indicator_id,
    cast({{ days_between('started_on', 'last_day') }} as bigint) as days_waited,
    cast({{ days_between('last_day', 'limit_on') }} + days_of_grace as bigint) as days_until_passed
from limited
