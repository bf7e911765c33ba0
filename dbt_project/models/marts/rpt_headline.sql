-- The headline indicators as a performance lead reads them: names next to codes, windows side by
-- side. A window that an indicator is not defined for stays empty.
select
    figure.indicator_id,
    indicator.title_en,
    indicator.title_cy,
    indicator.unit,
    figure.place_code,
    place.name_en as place_name_en,
    place.name_cy as place_name_cy,
    place.kind as place_kind,
    place.nation_code,
    figure.quarter,
    {%- for window_name in ['quarter', 'year_to_date', 'rolling_4', 'rolling_12'] %}
    max(figure.value_rounded) filter (where figure.window_name = '{{ window_name }}')
        as value_{{ window_name }},
    max(figure.returns_accepted) filter (where figure.window_name = '{{ window_name }}')
        as returns_accepted_{{ window_name }},
    max(figure.returns_expected) filter (where figure.window_name = '{{ window_name }}')
        as returns_expected_{{ window_name }},
    bool_or(figure.is_complete) filter (where figure.window_name = '{{ window_name }}')
        as is_complete_{{ window_name }},
    max(figure.benchmark_met) filter (where figure.window_name = '{{ window_name }}')
        as benchmark_met_{{ window_name }},
    {%- endfor %}
    max(figure.benchmark) as benchmark,
    indicator.definition_status,
    indicator.status_note_en,
    indicator.status_note_cy
from {{ ref('fct_indicator') }} as figure
inner join {{ ref('stg_indicator') }} as indicator
    on figure.indicator_id = indicator.indicator_id
inner join {{ ref('stg_place') }} as place
    on figure.place_code = place.place_code
where
    indicator.is_headline
    and figure.breakdown = 'total'
    and figure.membership_basis = 'at_the_time'
group by
    figure.indicator_id,
    indicator.title_en,
    indicator.title_cy,
    indicator.unit,
    figure.place_code,
    place.name_en,
    place.name_cy,
    place.kind,
    place.nation_code,
    figure.quarter,
    indicator.definition_status,
    indicator.status_note_en,
    indicator.status_note_cy
