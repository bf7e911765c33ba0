-- What each headline figure is compared with: benchmark, region, nation and its own past, and the word
-- for it. Counts of a place and of the region around it are of different size, not of different merit.
with

figure as (

    select * from {{ ref('int_figure_interval') }}

),

-- No authority is in two regions at once; the least code keeps one row if ever one is.
region_of as (

    select
        tree.sender_code,
        tree.quarter,
        min(tree.place_code) as region_code
    from {{ ref('int_place_tree') }} as tree
    inner join {{ ref('stg_place') }} as place
        on tree.place_code = place.place_code and place.kind in ('region', 'regional_agency')
    where tree.sender_code <> tree.place_code
        and tree.membership_basis = 'at_the_time'
    group by tree.sender_code, tree.quarter

),

-- Whom or when each figure is compared with. The year before is the newest window of the same length
-- that shares no quarter with this one.
pair as (

    select
        own.*,
        'region' as compared_with,
        region_of.region_code as other_place_code,
        own.quarter_index as other_index,
        own.window_name as other_window
    from figure as own
    inner join region_of
        on own.place_code = region_of.sender_code and own.quarter = region_of.quarter
    where not own.is_count

    union all

    select own.*, 'nation' as compared_with, own.nation_code, own.quarter_index, own.window_name
    from figure as own
    where not own.is_count and own.place_code <> own.nation_code

    union all

    select
        own.*,
        'last_four_quarters' as compared_with,
        own.place_code,
        own.quarter_index - 1,
        'rolling_4'
    from figure as own
    where not own.is_count and own.window_name = 'quarter'

    union all

    select
        own.*,
        'previous' as compared_with,
        own.place_code,
        own.quarter_index - span.quarters_back,
        own.window_name
    from figure as own
    inner join (
        select distinct window_name, quarters_back
        from {{ ref('int_window') }}
    ) as span on own.window_name = span.window_name

),

side as (

    select
        pair.indicator_id, pair.place_code, pair.quarter, pair.window_name, pair.compared_with,
        pair.direction, pair.value_lower_ci, pair.value_upper_ci, pair.has_break_since_previous,
        pair.other_place_code,
        other.quarter as other_quarter,
        other.value as other_value,
        other.value_lower_ci as other_lower_ci,
        other.value_upper_ci as other_upper_ci,
        pair.cases is not null
        and other.cases is not null
        and (not pair.is_count or (pair.is_complete and other.is_complete)) as is_comparable,
        -- Two counts can be compared if one of them is large enough: from forty to none is news.
        case when (pair.cases < other.cases) <> pair.is_count then pair.cases else other.cases end
            as least_cases
    from pair
    left join figure as other
        on pair.indicator_id = other.indicator_id
        and pair.other_place_code = other.place_code
        and pair.other_index = other.quarter_index
        and pair.other_window = other.window_name

    union all

    select
        own.indicator_id, own.place_code, own.quarter, own.window_name, 'benchmark' as compared_with,
        own.direction, own.value_lower_ci, own.value_upper_ci, own.has_break_since_previous,
        cast(null as {{ dbt.type_string() }}) as other_place_code,
        own.quarter as other_quarter,
        benchmark.benchmark as other_value,
        benchmark.benchmark as other_lower_ci,
        benchmark.benchmark as other_upper_ci,
        own.cases is not null and not own.is_count as is_comparable,
        own.cases as least_cases
    from figure as own
    inner join {{ ref('stg_benchmark') }} as benchmark
        on own.indicator_id = benchmark.indicator_id
        and own.nation_code = benchmark.nation_code
        and own.quarter >= coalesce(benchmark.since, own.quarter)
        and own.quarter <= coalesce(benchmark.until, own.quarter)

),

-- Different only where the two intervals do not touch.
worded as (

    select
        *,
        case
            when not is_comparable then null
            when least_cases < {{ minimum_to_tell() }} then 'too few to tell'
            when value_lower_ci is null or value_upper_ci is null
                or other_lower_ci is null or other_upper_ci is null then null
            when value_upper_ci < other_lower_ci
                then case when direction = 'lower' then 'better' else 'worse' end
            when value_lower_ci > other_upper_ci
                then case when direction = 'higher' then 'better' else 'worse' end
            else 'no different'
        end as word
    from side

)

select
    indicator_id,
    place_code,
    quarter,
    window_name,
    compared_with,
    other_place_code,
    other_quarter,
    other_value,
    -- The four quarters before a quarter reach as far back as the quarter a year before, so one flag
    -- tells of breaks for both comparisons with the past.
    case
        when compared_with in ('last_four_quarters', 'previous')
            and word is not null and has_break_since_previous then 'break in series'
        else word
    end as word
from worded
