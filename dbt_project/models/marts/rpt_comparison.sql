-- Each headline figure compared with its benchmark, its region, its nation and its own past, in a word.
with

catalogue as (

    select
        indicator_id,
        subject,
        direction,
        unit,
        timing,
        denominator is null as is_count
    from {{ ref('stg_indicator') }}
    where is_headline and direction in ('lower', 'higher')

),

wanted as (

    select
        figure.indicator_id,
        figure.place_code,
        figure.quarter,
        figure.window_name,
        figure.numerator,
        figure.denominator,
        figure.value,
        figure.has_break_since_previous,
        quarter.quarter_index,
        catalogue.subject,
        catalogue.direction,
        catalogue.unit,
        catalogue.is_count,
        place.nation_code,
        -- A stock is what stood on the last day, however long the window.
        case when catalogue.timing = 'stock' then 'quarter' else figure.window_name end
            as summed_over
    from {{ ref('fct_indicator') }} as figure
    inner join catalogue on figure.indicator_id = catalogue.indicator_id
    inner join {{ ref('stg_quarter') }} as quarter on figure.quarter = quarter.quarter
    inner join {{ ref('stg_place') }} as place on figure.place_code = place.place_code
    where figure.breakdown = 'total'
        and figure.membership_basis = 'at_the_time'

),

headline as (

    select
        wanted.*,
        coverage.returns_accepted = coverage.returns_expected
        and coverage.quarters_covered = coverage.quarters_in_window as is_complete
    from wanted
    inner join {{ ref('int_coverage_by_window') }} as coverage
        on wanted.place_code = coverage.place_code
        and wanted.subject = coverage.subject
        and wanted.quarter = coverage.quarter
        and wanted.summed_over = coverage.window_name
        and coverage.membership_basis = 'at_the_time'

),

-- What interval a figure has depends on what it is: a share, a mean of waits, or a count.
figure as (

    select
        headline.*,
        coalesce(headline.denominator, headline.numerator) as cases,
        case
            when headline.is_count then {{ poisson_lower('headline.numerator') }}
            when headline.unit = 'percent' then share.value_lower_ci
            else spread.mean_lower_ci
        end as value_lower_ci,
        case
            when headline.is_count then {{ poisson_upper('headline.numerator') }}
            when headline.unit = 'percent' then share.value_upper_ci
            else spread.mean_upper_ci
        end as value_upper_ci,
        case
            when headline.is_count then 'Poisson'
            when headline.unit = 'percent' then 'Wilson'
            when spread.indicator_id is not null then 'Student'
        end as interval_method
    from headline
    left join {{ ref('fct_proportion_interval') }} as share
        on headline.indicator_id = share.indicator_id
        and headline.place_code = share.place_code
        and headline.quarter = share.quarter
        and headline.window_name = share.window_name
    left join {{ ref('fct_distribution') }} as spread
        on headline.indicator_id = spread.indicator_id
        and headline.place_code = spread.place_code
        and headline.quarter = spread.quarter
        and headline.window_name = spread.window_name

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

-- What each figure is compared with, and null where there is nothing: counts of a place and of
-- the region around it are of different size, not of different merit.
keyed as (

    select
        figure.*,
        case when not figure.is_count then region_of.region_code end as region_code,
        case when not figure.is_count and figure.place_code <> figure.nation_code
            then figure.nation_code
        end as other_nation_code,
        case when not figure.is_count and figure.window_name = 'quarter'
            then figure.quarter_index - 1
        end as last_four_index,
        -- The newest window of the same length that shares no quarter with this one.
        figure.quarter_index - case figure.window_name
            {%- for window_name, quarters in quarters_back().items() %}
            when '{{ window_name }}' then {{ quarters }}
            {%- endfor %}
        end as previous_index
    from figure
    left join region_of
        on figure.place_code = region_of.sender_code and figure.quarter = region_of.quarter

),

compared_side as (

    select
        own.*,
        benchmark.benchmark,
        region.value as region_value,
        region.value_lower_ci as region_lower_ci,
        region.value_upper_ci as region_upper_ci,
        region.cases as region_cases,
        nation.value as nation_value,
        nation.value_lower_ci as nation_lower_ci,
        nation.value_upper_ci as nation_upper_ci,
        nation.cases as nation_cases,
        past.quarter as previous_quarter,
        past.value as previous_value,
        past.value_lower_ci as previous_lower_ci,
        past.value_upper_ci as previous_upper_ci,
        past.cases as previous_cases,
        past.is_complete as is_previous_complete,
        last_four.value as last_four_value,
        last_four.value_lower_ci as last_four_lower_ci,
        last_four.value_upper_ci as last_four_upper_ci,
        last_four.cases as last_four_cases
    from keyed as own
    left join {{ ref('stg_benchmark') }} as benchmark
        on own.indicator_id = benchmark.indicator_id
        and own.nation_code = benchmark.nation_code
        and own.quarter >= coalesce(benchmark.since, own.quarter)
        and own.quarter <= coalesce(benchmark.until, own.quarter)
    left join figure as region
        on own.region_code = region.place_code
        and own.indicator_id = region.indicator_id
        and own.quarter = region.quarter
        and own.window_name = region.window_name
    left join figure as nation
        on own.other_nation_code = nation.place_code
        and own.indicator_id = nation.indicator_id
        and own.quarter = nation.quarter
        and own.window_name = nation.window_name
    left join figure as past
        on own.place_code = past.place_code
        and own.indicator_id = past.indicator_id
        and own.window_name = past.window_name
        and own.previous_index = past.quarter_index
    left join figure as last_four
        on own.place_code = last_four.place_code
        and own.indicator_id = last_four.indicator_id
        and own.last_four_index = last_four.quarter_index
        and last_four.window_name = 'rolling_4'

),

weighed as (

    select
        *,
        {%- for other in ['region', 'nation', 'last_four'] %}
        case when cases < {{ other }}_cases then cases else {{ other }}_cases end
            as least_{{ other }}_cases,
        {%- endfor %}
        -- Two counts can be compared if one of them is large enough: from forty to none is news.
        case when (cases < previous_cases) <> is_count then cases else previous_cases end
            as least_previous_cases,
        (not is_count) or (is_complete and is_previous_complete) as is_previous_comparable
    from compared_side

),

-- The four quarters before a quarter reach as far back as the quarter a year before, so one flag tells
-- of breaks for both comparisons with the past.
worded as (

    select
        *,
        {{ compared(
            'direction', 'cases is not null and last_four_cases is not null', 'least_last_four_cases',
            'value_lower_ci', 'value_upper_ci', 'last_four_lower_ci', 'last_four_upper_ci'
        ) }} as last_four_word,
        {{ compared(
            'direction',
            'cases is not null and previous_cases is not null and is_previous_comparable',
            'least_previous_cases',
            'value_lower_ci', 'value_upper_ci', 'previous_lower_ci', 'previous_upper_ci'
        ) }} as previous_word
    from weighed

)

select
    indicator_id,
    place_code,
    quarter,
    window_name,
    numerator,
    denominator,
    cast(value as double) as value,
    cast(value_lower_ci as double) as value_lower_ci,
    cast(value_upper_ci as double) as value_upper_ci,
    interval_method,
    {{ minimum_to_tell() }} as minimum_to_tell,
    cast(benchmark as double) as benchmark,
    {{ compared(
        'direction', 'cases is not null and benchmark is not null and not is_count', 'cases',
        'value_lower_ci', 'value_upper_ci', 'benchmark', 'benchmark'
    ) }} as compared_with_benchmark,
    region_code,
    cast(region_value as double) as region_value,
    {{ compared(
        'direction', 'cases is not null and region_cases is not null', 'least_region_cases',
        'value_lower_ci', 'value_upper_ci', 'region_lower_ci', 'region_upper_ci'
    ) }} as compared_with_region,
    cast(nation_value as double) as nation_value,
    {{ compared(
        'direction', 'cases is not null and nation_cases is not null', 'least_nation_cases',
        'value_lower_ci', 'value_upper_ci', 'nation_lower_ci', 'nation_upper_ci'
    ) }} as compared_with_nation,
    cast(last_four_value as double) as last_four_quarters_value,
    case
        when last_four_word is not null and has_break_since_previous then 'break in series'
        else last_four_word
    end as compared_with_last_four_quarters,
    previous_quarter,
    cast(previous_value as double) as previous_value,
    case
        when previous_word is not null and has_break_since_previous then 'break in series'
        else previous_word
    end as compared_with_previous,
    has_break_since_previous
from worded
