-- Which households make up a numerator or a denominator: the way from any figure back to its rows.
select
    sender_code,
    quarter,
    case_pseudonym as household_pseudonym,
    measure,
    amount
from {{ ref('int_case_measure') }}
where subject = 'adopter'
