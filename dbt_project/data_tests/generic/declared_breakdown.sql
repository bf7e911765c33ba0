{# Every breakdown and part met is declared for the subject in sources/breakdowns.yaml. #}
{% test declared_breakdown(model) %}
select distinct
    model.subject,
    model.breakdown,
    model.breakdown_value
from {{ model }} as model
left join {{ ref('stg_breakdown') }} as declared
    on model.breakdown = declared.breakdown
    and model.breakdown_value = declared.breakdown_value
    and declared.subject in (model.subject, 'all')
where declared.breakdown is null
{% endtest %}
