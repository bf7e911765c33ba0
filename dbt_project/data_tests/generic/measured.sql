{# Every name in the column is a measure that some return of the indicator's subject gives, so that
   a slip of the pen in sources/indicators stops the build. #}
{% test measured(model, column_name) %}
{%- set subjects = {
    'child': ref('int_child_measures'),
    'adopter': ref('int_adopter_measures'),
    'support': ref('int_support_measures'),
} %}
select indicator_id, {{ column_name }}
from {{ model }}
where {{ column_name }} is not null
    {%- for subject, relation in subjects.items() %}
    and not (
        subject = '{{ subject }}'
        and {{ column_name }} in (
            ''
            {%- for measure in measure_columns(relation) -%}
            , '{{ measure }}'
            {%- endfor -%}
        )
    )
    {%- endfor %}
{% endtest %}
