{# What the declarations ask for, read while a model is compiled. Wide tables hold one column per
   measure and are turned into rows, one indicator after the other, only in the last step: with
   rows from the start, each step would carry some hundred times as many. #}

{# Measures of a subject that some indicator uses (some indicator of that timing, if one is named),
   in alphabetical order. #}
{% macro measures_in_use(subject, timing=none) -%}
    {%- set declared = ref('stg_indicator') -%}
    {%- set names = [] -%}
    {%- if execute -%}
        {%- set query -%}
            select measure
            from (
                select numerator as measure, subject, timing from {{ declared }}
                union
                select denominator as measure, subject, timing from {{ declared }}
            ) as used
            where measure is not null and subject = '{{ subject }}'
                {%- if timing %}
                and timing = '{{ timing }}'
                {%- endif %}
            group by measure
            order by measure
        {%- endset -%}
        {%- for row in run_query(query).rows -%}
            {%- do names.append(row[0]) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(names) }}
{%- endmacro %}

{# Every measure that some indicator of any subject uses: the columns of the wide tables. #}
{% macro all_measures_in_use() -%}
    {%- set names = measures_in_use('child') + measures_in_use('adopter') + measures_in_use('support') -%}
    {{ return(names | unique | sort) }}
{%- endmacro %}

{# Whom a return is about; each has measures of its own. #}
{% macro subjects() -%}
    {{ return(['child', 'adopter', 'support']) }}
{%- endmacro %}

{# Sum of whole numbers as a whole number. Doubles hold them exactly up to 9 007 199 254 740 992 and
   add up in half the time of DuckDB's 128-bit sums. #}
{% macro sum_of(measure) -%}
    cast(sum(cast({{ measure }} as double)) as bigint)
{%- endmacro %}

{# Breakdowns of a model: every column that is not part of its key. #}
{% macro breakdown_columns(relation) -%}
    {{ return(columns_beyond_key(relation)) }}
{%- endmacro %}

{# The catalogue: one mapping for each indicator. `nations` and `windows` are lists. A year to date
   that ends with the year is the financial year too, so whoever asks for one gets the other. #}
{% macro indicators_in_catalogue() -%}
    {%- set declared = ref('stg_indicator') -%}
    {%- set nations = ref('stg_indicator_nation') -%}
    {%- set windows = ref('stg_indicator_window') -%}
    {%- set catalogue = [] -%}
    {%- if execute -%}
        {%- set query -%}
            select
                indicator_number, indicator_id, subject, numerator, denominator, timing, multiplier, rounding,
                direction, definition_status, clock_start, clock_stop, since, until
            from {{ declared }}
            order by indicator_id
        {%- endset -%}
        {%- set nation_rows = run_query('select indicator_id, nation_code from ' ~ nations ~ ' order by nation_code').rows -%}
        {%- set window_rows = run_query('select indicator_id, window_name from ' ~ windows ~ ' order by window_name').rows -%}
        {%- for row in run_query(query).rows -%}
            {%- set asked = [] -%}
            {%- for window in window_rows if window[0] == row['indicator_id'] -%}
                {%- do asked.append(window[1]) -%}
                {%- if window[1] == 'year_to_date' -%}
                    {%- do asked.append('financial_year') -%}
                {%- endif -%}
            {%- endfor -%}
            {%- set in_nations = [] -%}
            {%- for nation in nation_rows if nation[0] == row['indicator_id'] -%}
                {%- do in_nations.append(nation[1]) -%}
            {%- endfor -%}
            {%- do catalogue.append({
                'indicator_number': row['indicator_number'],
                'indicator_id': row['indicator_id'],
                'subject': row['subject'],
                'numerator': row['numerator'],
                'denominator': row['denominator'],
                'timing': row['timing'],
                'multiplier': row['multiplier'],
                'rounding': row['rounding'],
                'direction': row['direction'],
                'definition_status': row['definition_status'],
                'clock_start': row['clock_start'],
                'clock_stop': row['clock_stop'],
                'since': row['since'],
                'until': row['until'],
                'nations': in_nations,
                'windows': asked,
            }) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(catalogue) }}
{%- endmacro %}

{# Whole months from a month of birth to a quarter's last day. Quarters end with their month, so
   the month is enough: whoever was born in it has had the birthday. #}
{% macro age_in_months(birth_month, last_day) -%}
    (
        extract(year from {{ last_day }}) * 12 + extract(month from {{ last_day }})
        - extract(year from {{ birth_month }}) * 12 - extract(month from {{ birth_month }})
    )
{%- endmacro %}

{# Texts as a list for `in (…)`. #}
{% macro listed(texts) -%}
    ('{{ texts | join("', '") }}')
{%- endmacro %}

{# The table that holds the sums of each window, and the windows that each table holds. #}
{% macro tables_of_windows() -%}
    {{ return({
        'int_place_measure': ['quarter'],
        'int_year_measure': ['year_to_date', 'financial_year', 'rolling_4'],
        'int_three_year_measure': ['rolling_12'],
    }) }}
{%- endmacro %}

{# How many quarters back the window lies that a window is compared with: the newest one of the same
   length that shares no quarter with it. #}
{% macro quarters_back() -%}
    {{ return({
        'quarter': 4, 'year_to_date': 4, 'rolling_4': 4, 'rolling_12': 12, 'financial_year': 4,
    }) }}
{%- endmacro %}

{# Where an indicator applies, as a condition on a table of sums called `measured`. #}
{% macro applies(indicator, windows) -%}
    measured.subject = '{{ indicator.subject }}'
    and measured.window_name in {{ listed(windows) }}
    and {{ asked_of(indicator) }}
{%- endmacro %}

{# In which nations and quarters an indicator is asked for, as a condition on rows of its subject
   called `measured`. #}
{% macro asked_of(indicator) -%}
    measured.nation_code in {{ listed(indicator.nations) }}
    {%- if indicator.since %}
    and measured.quarter >= '{{ indicator.since }}'
    {%- endif %}
    {%- if indicator.until %}
    and measured.quarter <= '{{ indicator.until }}'
    {%- endif %}
{%- endmacro %}

{# The denominator, empty for a plain count. #}
{% macro denominator_of(indicator) -%}
    {{ 'cast(null as bigint)' if indicator.denominator is none else 'measured.' ~ indicator.denominator }}
{%- endmacro %}

{# Columns of the wide tables, in one order: what the row is about, and a column for each measure in
   use. `summed` and `coverage` are the relations of `joined_to_coverage`. #}
{% macro columns_of_window(measures) -%}
    coverage.coverage_id,
    summed.part_id,
    summed.is_total,
    summed.series_id,
    series.nation_code,
    series.subject,
    summed.quarter,
    summed.window_name
    {%- for measure in measures %},
    summed.{{ measure }}
    {%- endfor %}
{%- endmacro %}

{# What `summed` rests on. Rows of a window in whose last quarter nothing is due stay, without
   coverage: a longer window may need them. #}
{% macro joined_to_coverage() -%}
    inner join {{ ref('int_series') }} as series
        on summed.series_id = series.series_id
    left join {{ ref('int_coverage_by_window') }} as coverage
        on summed.series_id = coverage.series_id
        and summed.quarter = coverage.quarter
        and summed.window_name = coverage.window_name
{%- endmacro %}
