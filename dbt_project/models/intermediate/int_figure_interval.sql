-- Each headline figure where one direction is better, with an interval that says how sure it is.
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

)

-- What interval a figure has depends on what it is: a share, a mean of waits, or a count.
select
    headline.indicator_id,
    headline.place_code,
    headline.nation_code,
    headline.quarter,
    headline.quarter_index,
    headline.window_name,
    headline.direction,
    headline.is_count,
    headline.numerator,
    headline.denominator,
    headline.value,
    headline.has_break_since_previous,
    headline.is_complete,
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
