-- What each return adds to numerators and denominators, summed from its children, households or
-- counts: the second way to every figure, past windows and indicators.
{%- set support = ref('int_support_measures') %}
with

counted as (

    select
        sender_code,
        'child' as return_name,
        quarter,
        measure,
        sum(amount) as amount,
        count(*) as cases
    from {{ ref('fct_child_measure') }}
    group by sender_code, quarter, measure

    union all

    select
        sender_code,
        'adopter' as return_name,
        quarter,
        measure,
        sum(amount) as amount,
        count(*) as cases
    from {{ ref('fct_adopter_measure') }}
    group by sender_code, quarter, measure
    {%- for measure in measures_of('support') %}

    union all

    select
        sender_code,
        'support' as return_name,
        quarter,
        '{{ measure }}' as measure,
        {{ measure }} as amount,
        cast(null as bigint) as cases
    from {{ support }}
    where {{ measure }} <> 0
    {%- endfor %}

)

select
    counted.sender_code,
    counted.return_name,
    counted.quarter,
    counted.measure,
    cast(counted.amount as bigint) as amount,
    cast(counted.cases as bigint) as cases
from counted
inner join {{ ref('int_return') }} as returned
    on counted.sender_code = returned.sender_code
    and counted.return_name = returned.return_name
    and counted.quarter = returned.quarter
where returned.is_due and returned.is_accepted
