-- Which quarters a window covers. A window that reaches back before the first quarter known keeps
-- its declared length, so that the gap shows. It is compared with the newest window of the same length
-- that shares no quarter with it, so many quarters back.
with

quarter as (

    select quarter, financial_year, quarter_number, quarter_index
    from {{ ref('stg_quarter') }}

),

window_length as (

    select
        'quarter' as window_name,
        quarter,
        1 as quarters_in_window,
        4 as quarters_back from quarter
    union all
    select
        'year_to_date' as window_name,
        quarter,
        quarter_number as quarters_in_window,
        4 as quarters_back
    from quarter
    union all
    select
        'rolling_4' as window_name,
        quarter,
        4 as quarters_in_window,
        4 as quarters_back from quarter
    union all
    select
        'rolling_12' as window_name,
        quarter,
        12 as quarters_in_window,
        12 as quarters_back from quarter
    union all
    -- Whole years only: before its last quarter a year is a year to date.
    select 'financial_year' as window_name, quarter, 4 as quarters_in_window, 4 as quarters_back
    from quarter
    where quarter_number = 4

)

select
    window_length.window_name,
    window_length.quarter,
    covered.quarter as covered_quarter,
    cast(window_length.quarters_in_window as bigint) as quarters_in_window,
    window_length.quarters_back
from window_length
inner join quarter as ending on window_length.quarter = ending.quarter
inner join quarter as covered
    on covered.quarter_index > ending.quarter_index - window_length.quarters_in_window
    and covered.quarter_index <= ending.quarter_index
