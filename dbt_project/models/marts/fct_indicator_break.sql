-- Which declared break in series touches which figure. A change of membership does not touch a figure
-- on today's basis: the same members are counted all along.
with

asked as (

    select
        indicator.indicator_id,
        indicator.subject,
        indicator.timing,
        nation.nation_code,
        asked_for.window_name,
        indicator.since,
        indicator.until
    from {{ ref('stg_indicator') }} as indicator
    inner join {{ ref('stg_indicator_nation') }} as nation
        on indicator.indicator_id = nation.indicator_id
    inner join (
        select indicator_id, window_name
        from {{ ref('stg_indicator_window') }}
        union
        -- As in fct_indicator: whoever is asked for the year to date is asked for the whole year.
        select indicator_id, 'financial_year' as window_name
        from {{ ref('stg_indicator_window') }}
        where window_name = 'year_to_date'
    ) as asked_for on indicator.indicator_id = asked_for.indicator_id

)

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
    and coverage.window_name
    = case when touching.timing = 'stock' then 'quarter' else touching.window_name end
    and touching.place_code in (coverage.place_code, '*')
inner join asked
    on touching.timing = asked.timing
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
