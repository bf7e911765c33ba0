-- Every measure in every place, summed over the windows that an indicator asks for. A stock is what
-- stood on the last day and is not added up over quarters: it is there once, in the window 'quarter'.
with

asked as (

    select numerator_number as measure_number, nation_code, summed_over
    from {{ ref('int_indicator_asked') }}
    union
    select denominator_number as measure_number, nation_code, summed_over
    from {{ ref('int_indicator_asked') }}
    where denominator_number is not null

)

select
    coverage.coverage_id,
    measured.part_id,
    measured.measure_number,
    cast(sum(measured.amount) as bigint) as amount
from {{ ref('int_place_measure') }} as measured
inner join asked on measured.measure_number = asked.measure_number
inner join {{ ref('int_window') }} as span
    on measured.quarter = span.covered_quarter and asked.summed_over = span.window_name
inner join {{ ref('int_coverage_by_window') }} as coverage
    on measured.series_id = coverage.series_id
    and asked.nation_code = coverage.nation_code
    and span.quarter = coverage.quarter
    and span.window_name = coverage.window_name
group by coverage.coverage_id, measured.part_id, measured.measure_number
