{# The columns beyond the key are the measures of the subject in sources/measures, no more, no fewer. #}
{% test measures_as_declared(model, subject) %}
{%- set built = columns_beyond_key(model) %}
{%- set declared = measures_of(subject) %}
select
    measure,
    problem
from (
    values
    ('', '')
    {%- for measure in built if measure not in declared %},
    ('{{ measure }}', 'a column without an entry in sources/measures')
    {%- endfor %}
    {%- for measure in declared if measure not in built %},
    ('{{ measure }}', 'an entry of sources/measures without a column')
    {%- endfor %}
) as compared (measure, problem)
where problem <> ''
{% endtest %}
