-- How much of a figure's ground was reported; a return that lost a row on the way here does not
-- count as accepted. Only places where a return of the subject is due in
-- the window's last quarter.
with

by_quarter as (

    select
        series.series_id,
        returned.quarter,
        count(*) as returns_expected,
        sum(case when returned.is_accepted and reconciled.is_reconciled then 1 else 0 end)
            as returns_accepted
    from {{ ref('int_return') }} as returned
    inner join {{ ref('int_place_tree') }} as tree
        on returned.sender_code = tree.sender_code and returned.quarter = tree.quarter
    inner join {{ ref('int_series') }} as series
        on tree.place_code = series.place_code
        and tree.membership_basis = series.membership_basis
        and returned.return_name = series.subject
    left join {{ ref('int_reconciliation') }} as reconciled
        on returned.sender_code = reconciled.sender_code
        and returned.quarter = reconciled.quarter
        and returned.return_name = reconciled.return_name
    where returned.is_due
    group by series.series_id, returned.quarter

),

by_window as (

    select
        ending.series_id,
        ending.quarter,
        span.window_name,
        cast(sum(covered.returns_expected) as bigint) as returns_expected,
        cast(sum(covered.returns_accepted) as bigint) as returns_accepted,
        max(span.quarters_in_window) as quarters_in_window,
        cast(
            sum(case when covered.returns_accepted > 0 then 1 else 0 end) as bigint
        ) as quarters_covered,
        count(*) as quarters_due
    from by_quarter as ending
    inner join {{ ref('int_window') }} as span on ending.quarter = span.quarter
    inner join by_quarter as covered
        on ending.series_id = covered.series_id and span.covered_quarter = covered.quarter
    group by ending.series_id, ending.quarter, span.window_name

)

select
    cast(
        row_number() over (
            order by by_window.series_id, by_window.window_name, by_window.quarter
        ) as integer
    ) as coverage_id,
    by_window.series_id,
    series.place_code,
    series.membership_basis,
    series.nation_code,
    series.subject,
    by_window.quarter,
    by_window.window_name,
    by_window.returns_expected,
    by_window.returns_accepted,
    by_window.quarters_in_window,
    by_window.quarters_covered,
    by_window.quarters_due
from by_window
inner join {{ ref('int_series') }} as series on by_window.series_id = series.series_id
