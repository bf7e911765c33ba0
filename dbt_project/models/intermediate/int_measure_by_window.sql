-- Every measure in every place and window: senders first, then places by the membership of each
-- quarter, then windows. Stocks are only meaningful in the window 'quarter'.
with

by_quarter as (

    select
        tree.place_code,
        measured.subject,
        measured.measure,
        measured.quarter,
        sum(measured.amount) as amount
    from {{ ref('int_sender_measure') }} as measured
    inner join {{ ref('int_place_tree') }} as tree
        on measured.sender_code = tree.sender_code and measured.quarter = tree.quarter
    group by tree.place_code, measured.subject, measured.measure, measured.quarter

)

select
    by_quarter.place_code,
    by_quarter.subject,
    by_quarter.measure,
    span.quarter,
    span.window_name,
    cast(sum(by_quarter.amount) as bigint) as amount
from by_quarter
inner join {{ ref('int_window') }} as span on by_quarter.quarter = span.covered_quarter
group by
    by_quarter.place_code, by_quarter.subject, by_quarter.measure, span.quarter, span.window_name
