-- How often each field is given in the rows that should have it, return by return. A code that says no
-- more than a blank is none.
with

child as (

    select * from {{ ref('stg_child') }}

),

adopter as (

    select * from {{ ref('stg_adopter') }}

),

cells as (
{% for field in fields_expected() %}
    select sender_code, quarter, '{{ field.return }}' as return_name, '{{ field.name }}' as field,
    cast({{ field.column }} as string) as written from {{ field.return }}
    {%- if field.with %} where {{ field.with }} is not null{% endif %}
    {{ 'union all' if not loop.last }}
{%- else %}
    -- While dbt parses, no field is known.
    select sender_code, quarter, '' as return_name, '' as field, '' as written
    from child
    cross join adopter
{%- endfor %}

)

select
    sender_code,
    quarter,
    return_name,
    field,
    count(*) as rows_expected,
    count(nullif(written, 'unknown')) as rows_given
from cells
group by sender_code, quarter, return_name, field
