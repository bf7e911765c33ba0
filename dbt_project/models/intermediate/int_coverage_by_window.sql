-- How much of a figure's ground was reported. Only places where a return of the subject is due in
-- the window's last quarter.
with

by_quarter as (

    select
        tree.place_code,
        tree.membership_basis,
        returned.return_name as subject,
        returned.quarter,
        count(*) as returns_expected,
        sum(case when returned.is_accepted then 1 else 0 end) as returns_accepted
    from {{ ref('int_return') }} as returned
    inner join {{ ref('int_place_tree') }} as tree
        on returned.sender_code = tree.sender_code and returned.quarter = tree.quarter
    where returned.is_due
    group by tree.place_code, tree.membership_basis, returned.return_name, returned.quarter

),

by_window as (

    select
        ending.place_code,
        ending.membership_basis,
        ending.subject,
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
        on ending.place_code = covered.place_code
        and ending.membership_basis = covered.membership_basis
        and ending.subject = covered.subject
        and span.covered_quarter = covered.quarter
    group by
        ending.place_code,
        ending.membership_basis,
        ending.subject,
        ending.quarter,
        span.window_name

)

select
    by_window.*,
    place.nation_code,
    row_number() over (
        order by
            by_window.place_code,
            by_window.membership_basis,
            by_window.subject,
            by_window.window_name,
            by_window.quarter
    ) as coverage_number
from by_window
inner join {{ ref('stg_place') }} as place on by_window.place_code = place.place_code
