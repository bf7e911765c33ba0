-- Which declared breaks in series lie in reach of which window: inside it, so that the figure mixes
-- what was before with what came after, or between it and the window before it that it is compared
-- with. A stock looks at single days, however long the window.
with

break_in_series as (

    select
        declared.break_id,
        declared.kind,
        declared.indicator_id,
        declared.place_code,
        quarter.quarter_index as since_index
    from {{ ref('stg_break_in_series') }} as declared
    inner join {{ ref('stg_quarter') }} as quarter on declared.since = quarter.quarter

),

first_known as (

    select min(quarter_index) as first_index
    from {{ ref('stg_quarter') }}

),

ending as (

    select distinct
        span.window_name,
        span.quarter,
        quarter.quarter_index,
        timing.timing,
        case when timing.timing = 'stock' then 1 else span.quarters_in_window
        end as quarters_looked_at,
        span.quarters_back
    from {{ ref('int_window') }} as span
    inner join {{ ref('stg_quarter') }} as quarter on span.quarter = quarter.quarter
    cross join (select 'flow' as timing union all select 'stock' as timing) as timing

),

reach as (

    select
        ending.timing,
        ending.window_name,
        ending.quarter,
        ending.quarter_index,
        ending.quarter_index - ending.quarters_looked_at + 1 as from_index,
        -- Where nothing is known of the window before, there is nothing to compare with.
        case when ending.quarter_index - ending.quarters_back >= first_known.first_index
            then ending.quarter_index - ending.quarters_back - ending.quarters_looked_at + 1
            else ending.quarter_index - ending.quarters_looked_at + 1
        end as compared_from_index,
        first_known.first_index
    from ending
    cross join first_known

)

select
    break_in_series.break_id,
    break_in_series.kind,
    break_in_series.indicator_id,
    break_in_series.place_code,
    reach.timing,
    reach.window_name,
    reach.quarter,
    reach.from_index < break_in_series.since_index as is_in_window
from reach
inner join break_in_series
    on reach.compared_from_index < break_in_series.since_index
    and reach.quarter_index >= break_in_series.since_index
    -- Nothing is known of what was before the first quarter, so nothing can be mixed with it.
    and reach.first_index < break_in_series.since_index
