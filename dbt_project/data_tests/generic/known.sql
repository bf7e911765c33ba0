{# Every code in these columns stands in its dimension, under the same name. One query for all of
   them: a query costs more than what it looks through. #}
{% test known(model, columns) %}
{%- for column, dimension in columns.items() %}
select
    '{{ column }}' as column_name,
    fact.{{ column }} as code
from {{ model }} as fact
left join {{ ref(dimension) }} as dimension on fact.{{ column }} = dimension.{{ column }}
where fact.{{ column }} is not null and dimension.{{ column }} is null
{{ 'union all' if not loop.last }}
{%- endfor %}
{% endtest %}
