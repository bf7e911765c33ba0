-- Every indicator broken down: the same fraction as in fct_indicator, for each part in which numerator
-- or denominator is not zero. Whole numbers alone: some 33 million rows take half the time to write
-- without a text in each, and rpt_indicator_breakdown adds the names. A stock is there
-- once, in the window 'quarter'.
{%- set catalogue = indicators_in_catalogue() %}
{%- for indicator in catalogue %}
{%- set is_last = loop.last %}
{%- set windows = ['quarter'] if indicator.timing == 'stock' else indicator.windows %}
{%- set asked = [] %}
{%- for table, held in tables_of_windows().items() if held | select('in', windows) | list %}
    {%- do asked.append((table, held | select('in', windows) | list)) %}
{%- endfor %}
{%- for table, held in asked %}
select
    cast({{ indicator.indicator_number }} as integer) as indicator_number,
    measured.coverage_id,
    measured.part_id,
    measured.{{ indicator.numerator }} as numerator,
    {{ denominator_of(indicator) }} as denominator
from {{ ref(table) }} as measured
where
    not measured.is_total
    and measured.coverage_id is not null
    and {{ applies(indicator, held) }}
    and (
        measured.{{ indicator.numerator }} <> 0
        {%- if indicator.denominator is not none %}
        or measured.{{ indicator.denominator }} <> 0
        {%- endif %}
    )
{{ 'union all' if not (is_last and loop.last) }}
{%- endfor %}
{%- else %}
{#- Only while parsing, when the catalogue is not known yet. #}
select
    cast(0 as integer) as indicator_number,
    coverage_id,
    part_id,
    cast(0 as bigint) as numerator,
    cast(0 as bigint) as denominator
from {{ ref('int_place_measure') }}
union all
select
    cast(0 as integer) as indicator_number,
    coverage_id,
    part_id,
    cast(0 as bigint) as numerator,
    cast(0 as bigint) as denominator
from {{ ref('int_year_measure') }}
union all
select
    cast(0 as integer) as indicator_number,
    coverage_id,
    part_id,
    cast(0 as bigint) as numerator,
    cast(0 as bigint) as denominator
from {{ ref('int_three_year_measure') }}
{%- endfor %}
