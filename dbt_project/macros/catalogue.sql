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

{# Sum of whole numbers as a whole number. Doubles hold them exactly up to 9 007 199 254 740 992 and
   add up in half the time of DuckDB's 128-bit sums. #}
{% macro sum_of(measure) -%}
    cast(sum(cast({{ measure }} as double)) as bigint)
{%- endmacro %}

{# Breakdowns of a model: every column that is not part of its key. #}
{% macro breakdown_columns(relation) -%}
    {{ return(measure_columns(relation)) }}
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
                indicator_id, subject, numerator, denominator, timing, multiplier, rounding,
                direction, definition_status, since, until
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
                'indicator_id': row['indicator_id'],
                'subject': row['subject'],
                'numerator': row['numerator'],
                'denominator': row['denominator'],
                'timing': row['timing'],
                'multiplier': row['multiplier'],
                'rounding': row['rounding'],
                'direction': row['direction'],
                'definition_status': row['definition_status'],
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

{# Where an indicator applies, as a condition on int_measure_by_window. #}
{% macro applies(indicator, windows) -%}
    measured.subject = '{{ indicator.subject }}'
    and measured.nation_code in {{ listed(indicator.nations) }}
    and measured.window_name in {{ listed(windows) }}
    {%- if indicator.since %}
    and measured.quarter >= '{{ indicator.since }}'
    {%- endif %}
    {%- if indicator.until %}
    and measured.quarter <= '{{ indicator.until }}'
    {%- endif %}
{%- endmacro %}

{# multiplier x numerator / denominator, for an indicator of the catalogue. #}
{% macro value_of(indicator) -%}
    {{ indicator.multiplier }} * cast(measured.{{ indicator.numerator }} as double)
    {%- if indicator.denominator is not none %}
    / nullif(cast(measured.{{ indicator.denominator }} as double), 0)
    {%- endif %}
{%- endmacro %}

{# The denominator, empty for a plain count. #}
{% macro denominator_of(indicator) -%}
    {{ 'cast(null as bigint)' if indicator.denominator is none else 'measured.' ~ indicator.denominator }}
{%- endmacro %}

{# Columns of the wide tables, in one order: what the row is about, what it rests on, and a column for
   each measure in use. `summed`, `coverage` and `part` are the relations of `joined_to_coverage`. The
   last three digits of part_id number the part, of which fewer than a thousand are declared. #}
{% macro columns_of_window(measures) -%}
    coverage.coverage_number * 1000 + part.part_number as part_id,
    summed.place_code,
    summed.membership_basis,
    coverage.nation_code,
    summed.subject,
    summed.quarter,
    summed.window_name,
    summed.breakdown,
    summed.breakdown_value,
    summed.breakdown = 'total' as is_total,
    coverage.returns_expected,
    coverage.returns_accepted,
    coverage.quarters_in_window,
    coverage.quarters_covered,
    coverage.quarters_due
    {%- for measure in measures %},
    summed.{{ measure }}
    {%- endfor %}
{%- endmacro %}

{# What `summed` rests on, and the number of its part. Rows of a window in whose last quarter nothing
   is due stay, without coverage: a longer window may need them. #}
{% macro joined_to_coverage(coverage, part) -%}
    left join {{ coverage }} as coverage
        on summed.place_code = coverage.place_code
        and summed.membership_basis = coverage.membership_basis
        and summed.subject = coverage.subject
        and summed.quarter = coverage.quarter
        and summed.window_name = coverage.window_name
    left join (
        select
            breakdown,
            breakdown_value,
            row_number() over (order by breakdown, breakdown_value) as part_number
        from {{ part }}
    ) as part
        on summed.breakdown = part.breakdown
        and summed.breakdown_value = part.breakdown_value
{%- endmacro %}
