-- The totals of every indicator everywhere it is asked for: numerator measure and denominator measure,
-- 0 where nothing was counted and empty where nothing was accepted.
with

total as (

    select measured.coverage_id, measured.measure_number, measured.amount
    from {{ ref('int_window_measure') }} as measured
    inner join {{ ref('stg_breakdown') }} as part on measured.part_id = part.part_id
    where part.breakdown = 'total'

)

select
    asked.indicator_id,
    asked.subject,
    coverage.coverage_id,
    coverage.place_code,
    coverage.membership_basis,
    coverage.nation_code,
    coverage.quarter,
    asked.window_name,
    case when coverage.returns_accepted > 0 then coalesce(numerator.amount, 0) end as numerator,
    case when coverage.returns_accepted > 0 and asked.denominator_number is not null
        then coalesce(denominator.amount, 0)
    end as denominator,
    coverage.returns_expected,
    coverage.returns_accepted,
    coverage.quarters_in_window,
    coverage.quarters_covered,
    coverage.quarters_due
from {{ ref('int_indicator_asked') }} as asked
inner join {{ ref('int_coverage_by_window') }} as coverage
    on asked.subject = coverage.subject
    and asked.nation_code = coverage.nation_code
    and asked.summed_over = coverage.window_name
    and coverage.quarter >= coalesce(asked.since, coverage.quarter)
    and coverage.quarter <= coalesce(asked.until, coverage.quarter)
left join total as numerator
    on coverage.coverage_id = numerator.coverage_id
    and asked.numerator_number = numerator.measure_number
left join total as denominator
    on coverage.coverage_id = denominator.coverage_id
    and asked.denominator_number = denominator.measure_number
