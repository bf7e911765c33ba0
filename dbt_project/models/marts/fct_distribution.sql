-- What lies behind each mean: spread, median and how sure either is. Waits do not add up over
-- places or quarters as sums do, so every figure is worked out from the single waits in it.
{%- set z = normal_quantile('95') %}
with

asked as (

    select
        row_number() over (
            order by
                figure.indicator_id nulls last,
                figure.place_code nulls last,
                figure.quarter nulls last,
                figure.window_name nulls last
        ) as asked_number,
        figure.indicator_id,
        figure.place_code,
        figure.quarter,
        figure.window_name,
        -- A stock is what stood on the last day, however long the window.
        case when indicator.timing = 'stock' then 'quarter' else figure.window_name end
            as summed_over,
        figure.denominator is not null as is_answered,
        indicator.subject,
        indicator.numerator as days_measure,
        indicator.denominator as counting_measure,
        indicator.unit,
        indicator.multiplier
    from {{ ref('fct_indicator') }} as figure
    inner join {{ ref('stg_indicator') }} as indicator
        on figure.indicator_id = indicator.indicator_id
    where figure.breakdown = 'total'
        and figure.membership_basis = 'at_the_time'
        and indicator.unit in ('months', 'days')
        and indicator.denominator is not null

),

reached as (

    select
        asked.asked_number,
        asked.place_code,
        asked.days_measure,
        asked.counting_measure,
        span.covered_quarter
    from asked
    inner join {{ ref('int_window') }} as span
        on asked.quarter = span.quarter and asked.summed_over = span.window_name

),

waited as (

    select
        tree.place_code,
        wait.quarter,
        wait.days_measure,
        wait.counting_measure,
        wait.days
    from {{ ref('int_duration') }} as wait
    inner join {{ ref('int_place_tree') }} as tree
        on wait.sender_code = tree.sender_code and wait.quarter = tree.quarter
    where tree.membership_basis = 'at_the_time'

),

ranked as (

    select
        reached.asked_number,
        waited.days,
        row_number() over (
            partition by reached.asked_number order by waited.days nulls last
        ) as days_rank,
        count(*) over (partition by reached.asked_number) as cases
    from reached
    inner join waited
        on reached.place_code = waited.place_code
        and reached.days_measure = waited.days_measure
        and reached.counting_measure = waited.counting_measure
        and reached.covered_quarter = waited.quarter

),

gathered as (

    select
        asked_number,
        max(cases) as cases,
        cast(sum(days) as bigint) as total,
        cast(sum(days * days) as bigint) as total_of_squares,
        percentile_cont(0.25) within group (order by days) as lower_quartile,
        percentile_cont(0.5) within group (order by days) as median,
        percentile_cont(0.75) within group (order by days) as upper_quartile,
        max(case when days_rank = {{ median_rank('cases') }} then days end) as median_lower,
        max(case when days_rank = cases + 1 - {{ median_rank('cases') }} then days end)
            as median_upper
    from ranked
    group by asked_number

),

figured as (

    select
        asked_number,
        cases,
        total,
        cast(total as double) / cases as mean,
        {{ deviation_of_sums('cases', 'total', 'total_of_squares') }} as deviation,
        -- All waits the same: brothers and sisters, mostly, and no reason to be certain.
        coalesce(student.quantile, {{ z }} + ({{ z }} * {{ z }} * {{ z }} + {{ z }}) / (4 * (cases - 1)))
        * nullif({{ deviation_of_sums('cases', 'total', 'total_of_squares') }}, 0)
        / sqrt(cast(cases as double)) as half_width,
        lower_quartile,
        median,
        upper_quartile,
        median_lower,
        median_upper
    from gathered
    left join {{ source('validated', 'student_t') }} as student
        on gathered.cases - 1 = student.degrees

)

select
    asked.indicator_id,
    asked.place_code,
    asked.quarter,
    asked.window_name,
    asked.unit,
    case when asked.is_answered then coalesce(figured.total, 0) end as numerator,
    case when asked.is_answered then coalesce(figured.cases, 0) end as denominator,
    cast(asked.multiplier * figured.mean as double) as mean,
    -- A wait is never below zero, and so is no bound of its mean.
    cast(
        asked.multiplier * case
            when figured.half_width > figured.mean then 0
            else figured.mean - figured.half_width
        end as double
    ) as mean_lower_ci,
    cast(asked.multiplier * (figured.mean + figured.half_width) as double) as mean_upper_ci,
    cast(asked.multiplier * figured.deviation as double) as standard_deviation,
    cast(asked.multiplier * figured.median as double) as median,
    cast(asked.multiplier * figured.median_lower as double) as median_lower_ci,
    cast(asked.multiplier * figured.median_upper as double) as median_upper_ci,
    cast(asked.multiplier * figured.lower_quartile as double) as lower_quartile,
    cast(asked.multiplier * figured.upper_quartile as double) as upper_quartile
from asked
left join figured on asked.asked_number = figured.asked_number
