-- What the returns missing from a nation's count would probably have added to it. Only where a return
-- was due in every quarter of the window and every missing one could be filled.
select distinct
    figure.indicator_id,
    figure.coverage_id,
    coalesce(added.amount, 0) as amount,
    case when missing.returns_filled = missing.returns_filled_by_own_mean
        then 'own_mean' else 'own_or_nation_mean'
    end as method
from {{ ref('int_indicator_figure') }} as figure
inner join {{ ref('int_coverage_by_window') }} as coverage
    on figure.coverage_id = coverage.coverage_id
inner join {{ ref('stg_indicator') }} as indicator
    on figure.indicator_id = indicator.indicator_id and indicator.denominator is null
inner join {{ ref('stg_measure') }} as measure
    on indicator.numerator = measure.measure and indicator.subject = measure.subject
inner join {{ ref('int_missing_by_window') }} as missing
    on coverage.place_code = missing.place_code
    and coverage.subject = missing.subject
    and coverage.quarter = missing.quarter
    and coverage.window_name = missing.window_name
    and missing.returns_missing = missing.returns_filled
left join {{ ref('int_missing_measure') }} as added
    on missing.place_code = added.place_code
    and missing.subject = added.subject
    and missing.quarter = added.quarter
    and missing.window_name = added.window_name
    and measure.measure_number = added.measure_number
where figure.quarters_due = figure.quarters_in_window
