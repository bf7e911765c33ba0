-- Each headline figure compared with its benchmark, its region, its nation and its own past, in a word.
with

compared as (

    select
        indicator_id,
        place_code,
        quarter,
        window_name,
        max(case when compared_with = 'benchmark' then other_value end) as benchmark,
        max(case when compared_with = 'benchmark' then word end) as benchmark_word,
        max(case when compared_with = 'region' then other_place_code end) as region_code,
        max(case when compared_with = 'region' then other_value end) as region_value,
        max(case when compared_with = 'region' then word end) as region_word,
        max(case when compared_with = 'nation' then other_value end) as nation_value,
        max(case when compared_with = 'nation' then word end) as nation_word,
        max(case when compared_with = 'last_four_quarters' then other_value end) as last_four_value,
        max(case when compared_with = 'last_four_quarters' then word end) as last_four_word,
        max(case when compared_with = 'previous' then other_quarter end) as previous_quarter,
        max(case when compared_with = 'previous' then other_value end) as previous_value,
        max(case when compared_with = 'previous' then word end) as previous_word
    from {{ ref('int_comparison') }}
    group by indicator_id, place_code, quarter, window_name

)

select
    figure.indicator_id,
    figure.place_code,
    figure.quarter,
    figure.window_name,
    figure.numerator,
    figure.denominator,
    cast(figure.value as double) as value,
    cast(figure.value_lower_ci as double) as value_lower_ci,
    cast(figure.value_upper_ci as double) as value_upper_ci,
    figure.interval_method,
    {{ minimum_to_tell() }} as minimum_to_tell,
    cast(compared.benchmark as double) as benchmark,
    compared.benchmark_word as compared_with_benchmark,
    compared.region_code,
    cast(compared.region_value as double) as region_value,
    compared.region_word as compared_with_region,
    cast(compared.nation_value as double) as nation_value,
    compared.nation_word as compared_with_nation,
    cast(compared.last_four_value as double) as last_four_quarters_value,
    compared.last_four_word as compared_with_last_four_quarters,
    compared.previous_quarter,
    cast(compared.previous_value as double) as previous_value,
    compared.previous_word as compared_with_previous,
    figure.has_break_since_previous
from {{ ref('int_figure_interval') }} as figure
left join compared
    on figure.indicator_id = compared.indicator_id
    and figure.place_code = compared.place_code
    and figure.quarter = compared.quarter
    and figure.window_name = compared.window_name
