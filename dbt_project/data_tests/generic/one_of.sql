{# Each of these columns is empty or holds one of its words. One query for all of them. #}
{% test one_of(model, columns) %}
{%- for column, words in columns.items() %}
select
    '{{ column }}' as column_name,
    {{ column }} as word
from {{ model }}
where {{ column }} is not null and {{ column }} not in ('{{ words | join("', '") }}')
{{ 'union all' if not loop.last }}
{%- endfor %}
{% endtest %}
