-- Every indicator broken down: the same fraction as in fct_indicator, for each part in which numerator
-- or denominator is not zero. Whole numbers alone: some 33 million rows take half the time to write
-- without a text in each, and rpt_indicator_breakdown adds the names. A stock is there
-- once, in the window 'quarter'.
with

part as (

    select measured.coverage_id, measured.part_id, measured.measure_number, measured.amount
    from {{ ref('int_window_measure') }} as measured
    inner join {{ ref('stg_breakdown') }} as declared on measured.part_id = declared.part_id
    where declared.breakdown <> 'total'

),

asked as (

    select distinct
        asked.indicator_number,
        asked.numerator_number,
        asked.denominator_number,
        coverage.coverage_id
    from {{ ref('int_indicator_asked') }} as asked
    inner join {{ ref('int_coverage_by_window') }} as coverage
        on asked.subject = coverage.subject
        and asked.nation_code = coverage.nation_code
        and asked.summed_over = coverage.window_name
        and coverage.quarter >= coalesce(asked.since, coverage.quarter)
        and coverage.quarter <= coalesce(asked.until, coverage.quarter)

),

numerator as (

    select
        asked.indicator_number,
        asked.denominator_number,
        part.coverage_id,
        part.part_id,
        part.amount
    from asked
    inner join part
        on asked.coverage_id = part.coverage_id and asked.numerator_number = part.measure_number

),

denominator as (

    select asked.indicator_number, part.coverage_id, part.part_id, part.amount
    from asked
    inner join part
        on asked.coverage_id = part.coverage_id and asked.denominator_number = part.measure_number

)

select
    coalesce(numerator.indicator_number, denominator.indicator_number) as indicator_number,
    coalesce(numerator.coverage_id, denominator.coverage_id) as coverage_id,
    coalesce(numerator.part_id, denominator.part_id) as part_id,
    coalesce(numerator.amount, 0) as numerator,
    -- Empty for a count, and 0 where an indicator has a denominator and nobody is in it.
    case when denominator.amount is null and numerator.denominator_number is not null then 0
        else denominator.amount
    end as denominator
from numerator
full outer join denominator
    on numerator.indicator_number = denominator.indicator_number
    and numerator.coverage_id = denominator.coverage_id
    and numerator.part_id = denominator.part_id
