-- Every child and household of an accepted return, with where and when it was reported.
with

on_return as (

    select
        'child' as subject,
        sender_code,
        quarter,
        child_pseudonym as case_pseudonym,
        coalesce(authority_to_place = 'consent', false) as is_by_consent
    from {{ ref('stg_child') }}

    union all

    select 'adopter' as subject, sender_code, quarter, household_pseudonym, false as is_by_consent
    from {{ ref('stg_adopter') }}

)

select
    on_return.subject,
    on_return.sender_code,
    on_return.quarter,
    on_return.case_pseudonym,
    on_return.is_by_consent,
    quarter.quarter_index,
    quarter.first_day,
    quarter.last_day,
    place.nation_code
from on_return
inner join {{ ref('int_return') }} as returned
    on on_return.subject = returned.return_name
    and on_return.sender_code = returned.sender_code
    and on_return.quarter = returned.quarter
inner join {{ ref('stg_quarter') }} as quarter on on_return.quarter = quarter.quarter
inner join {{ ref('stg_place') }} as place on on_return.sender_code = place.place_code
where returned.is_due and returned.is_accepted
