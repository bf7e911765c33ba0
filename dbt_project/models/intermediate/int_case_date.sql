-- Every date of a child's or household's row, as rows; a date that is empty has none.
{%- set date_columns = {} %}
{%- for return in ['child', 'adopter'] %}
    {%- do date_columns.update({return: adapter.get_columns_in_relation(ref('stg_' ~ return))
        | selectattr('dtype', 'in', ['DATE', 'date']) | map(attribute='name') | list or ['placed_on']}) %}
{%- endfor %}
select 'child' as subject, sender_code, quarter, child_pseudonym as case_pseudonym, field, day
from {{ columns_as_rows(ref('stg_child'), 'field', 'day', columns=date_columns['child']) }} as child

union all

select 'adopter' as subject, sender_code, quarter, household_pseudonym as case_pseudonym, field, day
from {{ columns_as_rows(ref('stg_adopter'), 'field', 'day', columns=date_columns['adopter']) }} as household
