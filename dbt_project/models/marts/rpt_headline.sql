-- The headline indicators as a performance lead reads them: names next to codes, windows side by
-- side. A window that an indicator is not defined for stays empty.
{%- set windows = ['quarter', 'year_to_date', 'rolling_4', 'rolling_12'] %}
with

figure as (

    select
        indicator_id,
        place_code,
        quarter,
        {%- for window_name in windows %}
        max(case when window_name = '{{ window_name }}' then value_rounded end)
            as value_{{ window_name }},
        max(case when window_name = '{{ window_name }}' then returns_accepted end)
            as returns_accepted_{{ window_name }},
        max(case when window_name = '{{ window_name }}' then returns_expected end)
            as returns_expected_{{ window_name }},
        max(case when window_name = '{{ window_name }}' then case when is_complete then 1 else 0 end end)
            as complete_{{ window_name }},
        max(case when window_name = '{{ window_name }}' then benchmark_met end)
            as benchmark_met_{{ window_name }},
        {%- endfor %}
        max(benchmark) as benchmark
    from {{ ref('fct_indicator') }}
    where breakdown = 'total' and membership_basis = 'at_the_time'
    group by indicator_id, place_code, quarter

)

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
    {%- for window_name in windows %}
    figure.value_{{ window_name }},
    figure.returns_accepted_{{ window_name }},
    figure.returns_expected_{{ window_name }},
    figure.complete_{{ window_name }} = 1 as is_complete_{{ window_name }},
    figure.benchmark_met_{{ window_name }},
    {%- endfor %}
    figure.benchmark,
    indicator.definition_status,
    indicator.status_note_en,
    indicator.status_note_cy
from figure
inner join {{ ref('stg_indicator') }} as indicator
    on figure.indicator_id = indicator.indicator_id
inner join {{ ref('stg_place') }} as place
    on figure.place_code = place.place_code
where indicator.is_headline
