-- One wait per child or household, as the means of the catalogue count them: the days measure of
-- everybody whose counting measure says one. Their sum and number are numerator and denominator
-- of the indicator, so a median here is of exactly the people behind the mean.
with

clock as (

    select distinct
        subject,
        numerator as days_measure,
        denominator as counting_measure
    from {{ ref('stg_indicator') }}
    where unit in ('months', 'days') and denominator is not null

)

select
    counting.subject,
    counting.sender_code,
    counting.quarter,
    counting.case_pseudonym as subject_pseudonym,
    clock.days_measure,
    clock.counting_measure,
    coalesce(wait.amount, 0) as days
from {{ ref('int_case_measure') }} as counting
inner join clock
    on counting.subject = clock.subject and counting.measure = clock.counting_measure
inner join {{ ref('int_return') }} as returned
    on counting.sender_code = returned.sender_code
    and counting.subject = returned.return_name
    and counting.quarter = returned.quarter
    and returned.is_due
    and returned.is_accepted
left join {{ ref('int_case_measure') }} as wait
    on counting.subject = wait.subject
    and counting.sender_code = wait.sender_code
    and counting.quarter = wait.quarter
    and counting.case_pseudonym = wait.case_pseudonym
    and clock.days_measure = wait.measure
where counting.subject in ('child', 'adopter')
