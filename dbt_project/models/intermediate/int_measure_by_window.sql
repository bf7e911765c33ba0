-- Every measure in every place and window, beside what it rests on. Totals are there wherever a
-- return is due, empty if nothing was accepted; parts of a breakdown where somebody falls into them.
-- Stocks are those of the window 'quarter' and empty in the others.
{%- set subjects = ('child', 'adopter', 'support') %}
{%- set measures = all_measures_in_use() %}
with

summed as (

    select
        place_code,
        membership_basis,
        subject,
        quarter,
        'quarter' as window_name,
        breakdown,
        breakdown_value
        {%- for measure in measures %},
        {{ measure }}
        {%- endfor %}
    from {{ ref('int_place_measure') }}

    union all

    select
        place_code,
        membership_basis,
        subject,
        quarter,
        window_name,
        breakdown,
        breakdown_value
        {%- for measure in measures %},
        {{ measure }}
        {%- endfor %}
    from {{ ref('int_year_measure') }}

    union all

    select
        year_sum.place_code,
        year_sum.membership_basis,
        year_sum.subject,
        year_sum.quarter,
        'financial_year' as window_name,
        year_sum.breakdown,
        year_sum.breakdown_value
        {%- for measure in measures %},
        year_sum.{{ measure }}
        {%- endfor %}
    from {{ ref('int_year_measure') }} as year_sum
    inner join {{ ref('stg_quarter') }} as ending on year_sum.quarter = ending.quarter
    where year_sum.window_name = 'year_to_date' and ending.quarter_number = 4
    {%- for subject in subjects %}
    {%- set flows = measures_in_use(subject, 'flow') %}

    union all

    select
        year_sum.place_code,
        year_sum.membership_basis,
        '{{ subject }}' as subject,
        ending.quarter,
        'rolling_12' as window_name,
        year_sum.breakdown,
        year_sum.breakdown_value
        {%- for measure in measures %},
        {{ sum_of('year_sum.' ~ measure) if measure in flows else 'cast(null as bigint)' }}
            as {{ measure }}
        {%- endfor %}
    from {{ ref('int_year_measure') }} as year_sum
    inner join {{ ref('stg_quarter') }} as year_end on year_sum.quarter = year_end.quarter
    inner join {{ ref('stg_quarter') }} as ending
        on ending.quarter_index - year_end.quarter_index in (0, 4, 8)
    where year_sum.subject = '{{ subject }}' and year_sum.window_name = 'rolling_4'
    group by
        year_sum.place_code,
        year_sum.membership_basis,
        ending.quarter,
        year_sum.breakdown,
        year_sum.breakdown_value
    {%- endfor %}

),

ground as (

    select
        coverage.place_code,
        coverage.membership_basis,
        place.nation_code,
        coverage.subject,
        coverage.quarter,
        coverage.window_name,
        coverage.returns_expected,
        coverage.returns_accepted,
        coverage.quarters_in_window,
        coverage.quarters_covered,
        coverage.quarters_due,
        row_number() over (
            order by
                coverage.place_code,
                coverage.membership_basis,
                coverage.subject,
                coverage.window_name,
                coverage.quarter
        ) as ground_number
    from {{ ref('int_coverage_by_window') }} as coverage
    inner join {{ ref('stg_place') }} as place on coverage.place_code = place.place_code

),

part as (

    select
        breakdown,
        breakdown_value,
        row_number() over (order by breakdown, breakdown_value) as part_number
    from {{ ref('stg_breakdown') }}

)

select
    -- A number of its own for each row: fewer than a thousand parts are declared.
    ground.ground_number * 1000 + part.part_number as part_id,
    ground.place_code,
    ground.membership_basis,
    ground.nation_code,
    ground.subject,
    ground.quarter,
    ground.window_name,
    summed.breakdown,
    summed.breakdown_value,
    ground.returns_expected,
    ground.returns_accepted,
    ground.quarters_in_window,
    ground.quarters_covered,
    ground.quarters_due
    {%- for measure in measures %},
    summed.{{ measure }}
    {%- endfor %}
from summed
inner join ground
    on summed.place_code = ground.place_code
    and summed.membership_basis = ground.membership_basis
    and summed.subject = ground.subject
    and summed.quarter = ground.quarter
    and summed.window_name = ground.window_name
left join part
    on summed.breakdown = part.breakdown
    and summed.breakdown_value = part.breakdown_value

union all

select
    ground.ground_number * 1000 as part_id,
    ground.place_code,
    ground.membership_basis,
    ground.nation_code,
    ground.subject,
    ground.quarter,
    ground.window_name,
    'total' as breakdown,
    'total' as breakdown_value,
    ground.returns_expected,
    ground.returns_accepted,
    ground.quarters_in_window,
    ground.quarters_covered,
    ground.quarters_due
    {%- for measure in measures %},
    cast(null as bigint) as {{ measure }}
    {%- endfor %}
from ground
where ground.returns_accepted = 0
