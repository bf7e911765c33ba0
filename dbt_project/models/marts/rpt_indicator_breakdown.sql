-- The parts of every figure with their names, and the fraction divided. A view: the
-- names are put to the numbers when somebody asks. It names no database, so that it goes on reading
-- in a file that has been renamed or attached under another name.
with

broken as (

    select
        indicator_id,
        place_code,
        quarter,
        window_name,
        membership_basis,
        max(case when is_in_window then 1 else 0 end) as breaks_in_window
    from {{ ref('fct_indicator_break').include(database=false) }}
    group by indicator_id, place_code, quarter, window_name, membership_basis

)

select
    indicator.indicator_id,
    indicator.title_en,
    indicator.title_cy,
    coverage.place_code,
    place.name_en as place_name_en,
    place.name_cy as place_name_cy,
    place.kind as place_kind,
    place.nation_code,
    coverage.quarter,
    coverage.window_name,
    coverage.membership_basis,
    part.breakdown,
    part.title_en as breakdown_title_en,
    part.title_cy as breakdown_title_cy,
    part.breakdown_value,
    part.label_en as breakdown_label_en,
    part.label_cy as breakdown_label_cy,
    part.position as breakdown_position,
    counted.numerator,
    counted.denominator,
    cast(
        case when indicator.denominator is null
            then indicator.multiplier * counted.numerator
            else indicator.multiplier * counted.numerator / nullif(counted.denominator, 0)
        end as double
    ) as value,
    indicator.unit,
    coverage.returns_expected,
    coverage.returns_accepted,
    coverage.quarters_in_window,
    coverage.quarters_covered,
    coverage.is_complete,
    coalesce(broken.breaks_in_window = 1, false) as has_break_in_window,
    broken.indicator_id is not null as has_break_since_previous,
    indicator.definition_status,
    part.status as breakdown_status
from {{ ref('fct_indicator_part').include(database=false) }} as counted
inner join {{ ref('dim_indicator').include(database=false) }} as indicator
    on counted.indicator_number = indicator.indicator_number
inner join {{ ref('fct_coverage').include(database=false) }} as coverage
    on counted.coverage_id = coverage.coverage_id
inner join {{ ref('dim_breakdown').include(database=false) }} as part
    on counted.part_id = part.part_id
inner join {{ ref('dim_place').include(database=false) }} as place
    on coverage.place_code = place.place_code
left join broken
    on indicator.indicator_id = broken.indicator_id
    and coverage.place_code = broken.place_code
    and coverage.quarter = broken.quarter
    and coverage.window_name = broken.window_name
    and coverage.membership_basis = broken.membership_basis
