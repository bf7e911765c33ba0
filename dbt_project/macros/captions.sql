{# Captions of a model's measures, by name: the comment above each column, in the model's own SQL.

   A measure without one stops the build, so that no measure is in use that nobody has explained. #}
{% macro measure_captions(relation) -%}
    {%- set captions = {} -%}
    {%- set measures = measure_columns(relation) -%}
    {%- set comments = comments_above_columns(relation.identifier) if measures else {} -%}
    {%- for measure in measures -%}
        {%- set caption = comments.get(measure) -%}
        {%- if not caption -%}
            {%- do exceptions.raise_compiler_error(
                relation.identifier ~ ': no caption above ' ~ measure
            ) -%}
        {%- endif -%}
        {%- do captions.update({measure: caption}) -%}
    {%- endfor -%}
    {{ return(captions) }}
{%- endmacro %}

{# The comment above each `... as column` of a model, by column. Lines of a comment are joined. #}
{% macro comments_above_columns(model_name) -%}
    {%- set found = {} -%}
    {%- set seen = namespace(comment='', is_open=false) -%}
    {%- set models = graph.nodes.values()
        | selectattr('resource_type', 'equalto', 'model')
        | selectattr('name', 'equalto', model_name) -%}
    {%- for line in (models | list)[0].raw_code.splitlines() -%}
        {%- set comment = modules.re.match('\\s*-- (.+)', line) -%}
        {%- set column = modules.re.search('\\bas (\\w+),?$', line) -%}
        {%- if comment -%}
            {%- set seen.comment = (seen.comment ~ ' ' if seen.is_open else '') ~ comment[1].strip() -%}
        {%- elif column and seen.comment -%}
            {%- do found.update({column[1]: seen.comment}) -%}
            {%- set seen.comment = '' -%}
        {%- endif -%}
        {%- set seen.is_open = comment is not none -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{# True when the measure is a stock, which may not be summed over quarters: by its name for children
   and households, by its caption for the counts of the support return. #}
{% macro is_stock(measure, caption) -%}
    {{ return('_waiting_' in measure or '(a stock)' in caption) }}
{%- endmacro %}
