-- The counts of the support return: each measure of the subject is the field of the same name.
select
    sender_code,
    quarter
    {%- for measure in measures_of('support') %},
    coalesce({{ measure }}, 0) as {{ measure }}
    {%- endfor %}
from {{ ref('stg_support') }}
