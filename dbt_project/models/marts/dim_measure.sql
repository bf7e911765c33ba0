-- What each measure counts, from the captions above the columns of the measure models.
{%- set subjects = {
    'child': ref('int_child_measures'),
    'adopter': ref('int_adopter_measures'),
    'support': ref('int_support_measures'),
} %}
{%- for subject, relation in subjects.items() %}
{%- set outer_loop = loop %}
{%- for measure, caption in measure_captions(relation).items() %}
select
    '{{ measure }}' as measure,
    '{{ subject }}' as subject,
    {{ dbt.string_literal(dbt.escape_single_quotes(caption)) }} as caption,
    {{ 'true' if is_stock(measure, caption) else 'false' }} as is_stock
{{ 'union all' if not (loop.last and outer_loop.last) }}
{%- else %}
{#- Only while parsing, when the columns are not known yet. #}
select '' as measure, '' as subject, '' as caption, false as is_stock
{{ 'union all' if not outer_loop.last }}
{%- endfor %}
{%- endfor %}
