{# No return in force has lost or gained a row between the ledger and the measures. #}
{% test reconciled(model) %}
select submission_id, sender_code, quarter, return_name
from {{ model }}
where not is_reconciled
{% endtest %}
