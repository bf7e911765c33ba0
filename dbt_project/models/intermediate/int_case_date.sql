-- Every date of a child's or household's row, as rows; a date that is empty has none.
{%- set of_child = columns_declared('child') | selectattr('type', 'equalto', 'date')
    | map(attribute='name') | list %}
{%- set of_household = columns_declared('adopter') | selectattr('type', 'equalto', 'date')
    | map(attribute='name') | list %}
select 'child' as subject, sender_code, quarter, child_pseudonym as case_pseudonym, field, day
from {{ columns_as_rows(ref('stg_child'), 'field', 'day', columns=of_child) }} as child

union all

select 'adopter' as subject, sender_code, quarter, household_pseudonym, field, day
from {{ columns_as_rows(ref('stg_adopter'), 'field', 'day', columns=of_household) }} as household
