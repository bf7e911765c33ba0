-- Which declared break in series touches which figure. A change of membership does not touch a figure
-- on today's basis: the same members are counted all along.
select
    asked.indicator_id,
    coverage.place_code,
    coverage.quarter,
    asked.window_name,
    coverage.membership_basis,
    touching.break_id,
    touching.kind,
    max(case when touching.is_in_window then 1 else 0 end) = 1 as is_in_window
from {{ ref('int_break_by_window') }} as touching
inner join {{ ref('int_coverage_by_window') }} as coverage
    on touching.quarter = coverage.quarter
    and touching.place_code in (coverage.place_code, '*')
inner join {{ ref('int_indicator_asked') }} as asked
    on touching.timing = asked.timing
    and coverage.window_name = asked.summed_over
    and touching.window_name = asked.window_name
    and coverage.subject = asked.subject
    and coverage.nation_code = asked.nation_code
    and touching.indicator_id in (asked.indicator_id, '*')
where
    not (touching.kind = 'membership' and coverage.membership_basis = 'today')
    and coverage.quarter >= coalesce(asked.since, coverage.quarter)
    and coverage.quarter <= coalesce(asked.until, coverage.quarter)
group by
    asked.indicator_id,
    coverage.place_code,
    coverage.quarter,
    asked.window_name,
    coverage.membership_basis,
    touching.break_id,
    touching.kind
