-- How often each field is given in the rows that should have it, return by return. A code that says no
-- more than a blank is none.
with

child as (

    select * from {{ ref('stg_child') }}

),

adopter as (

    select * from {{ ref('stg_adopter') }}

)
{% for field in fields_expected() %}
select sender_code, quarter, '{{ field.return }}' as return_name, '{{ field.name }}' as field,
count(*) as rows_expected, count(nullif(cast({{ field.column }} as string), 'unknown')) as rows_given
from {{ field.return }}
{%- if field.with %} where {{ field.with }} is not null{% endif %}
group by sender_code, quarter
{{ 'union all' if not loop.last }}
{%- else %}
-- While dbt parses, no field is known.
select sender_code, quarter, '' as return_name, '' as field, 0 as rows_expected, 0 as rows_given
from child
cross join adopter
{%- endfor %}
