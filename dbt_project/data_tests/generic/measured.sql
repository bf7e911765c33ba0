{# Every name in the column is a measure that some return of the indicator's subject gives, so that
   a misspelt name in sources/indicators stops the build. #}
{% test measured(model, column_name) %}
select
    model.indicator_id,
    model.{{ column_name }}
from {{ model }} as model
left join {{ ref('stg_measure') }} as declared
    on model.{{ column_name }} = declared.measure and model.subject = declared.subject
where model.{{ column_name }} is not null and declared.measure is null
{% endtest %}
