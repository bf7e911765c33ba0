-- How sure each share is: the Wilson score interval, which neither leaves 0 to 100 nor shrinks to
-- nothing at zero of five.
select
    figure.indicator_id,
    figure.place_code,
    figure.quarter,
    figure.window_name,
    figure.numerator,
    figure.denominator,
    cast(figure.value as double) as value,
    {%- for level, suffix in {'95': '', '99.8': '_998'}.items() %}
    cast(
        indicator.multiplier * {{ wilson_lower('figure.numerator', 'figure.denominator', level) }}
        as double
    ) as value_lower_ci{{ suffix }},
    cast(
        indicator.multiplier * {{ wilson_upper('figure.numerator', 'figure.denominator', level) }}
        as double
    ) as value_upper_ci{{ suffix }}
    {{- ',' if not loop.last }}
    {%- endfor %}
from {{ ref('fct_indicator') }} as figure
inner join {{ ref('stg_indicator') }} as indicator
    on figure.indicator_id = indicator.indicator_id
where figure.breakdown = 'total'
    and figure.membership_basis = 'at_the_time'
    and indicator.unit = 'percent'
    and indicator.denominator is not null
