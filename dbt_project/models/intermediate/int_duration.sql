-- One wait per child or household, as the means of the catalogue count them: the days measure of
-- everybody whose counting measure says one. Their sum and number are numerator and denominator
-- of the indicator, so a median here is of exactly the people behind the mean.
{%- set people = {
    'child': {'measures': ref('int_child_measures'), 'key': 'child_pseudonym'},
    'adopter': {'measures': ref('int_adopter_measures'), 'key': 'household_pseudonym'},
} %}
with

accepted as (

    select
        sender_code,
        return_name,
        quarter
    from {{ ref('int_return') }}
    where is_due and is_accepted

),

wait as (
    {%- for subject, days_measure, counting_measure in duration_clocks() %}

    select
        '{{ subject }}' as subject,
        sender_code,
        quarter,
        {{ people[subject].key }} as subject_pseudonym,
        '{{ days_measure }}' as days_measure,
        '{{ counting_measure }}' as counting_measure,
        {{ days_measure }} as days
    from {{ people[subject].measures }}
    where {{ counting_measure }} > 0
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- else %}
    {#- Only while parsing, when the catalogue is not known yet. #}

    select
        'child' as subject,
        sender_code,
        quarter,
        child_pseudonym as subject_pseudonym,
        '' as days_measure,
        '' as counting_measure,
        cast(0 as bigint) as days
    from {{ people.child.measures }}
    {%- endfor %}

)

select
    wait.subject,
    wait.sender_code,
    wait.quarter,
    wait.subject_pseudonym,
    wait.days_measure,
    wait.counting_measure,
    wait.days
from wait
inner join accepted
    on wait.sender_code = accepted.sender_code
    and wait.subject = accepted.return_name
    and wait.quarter = accepted.quarter
