-- Into which part of each breakdown a case falls, as rows. Everybody is in the total.
with

broken_down as (

    select 'child' as subject, sender_code, quarter, child_pseudonym as case_pseudonym, breakdown, part
    from {{ columns_as_rows(
        ref('int_child_breakdown'), 'breakdown', 'part',
        without=['sender_code', 'quarter', 'child_pseudonym']
    ) }} as child

    union all

    select 'adopter' as subject, sender_code, quarter, household_pseudonym, breakdown, part
    from {{ columns_as_rows(
        ref('int_adopter_breakdown'), 'breakdown', 'part',
        without=['sender_code', 'quarter', 'household_pseudonym']
    ) }} as household

    union all

    select 'child' as subject, sender_code, quarter, child_pseudonym, 'total', 'total'
    from {{ ref('int_child_breakdown') }}

    union all

    select 'adopter' as subject, sender_code, quarter, household_pseudonym, 'total', 'total'
    from {{ ref('int_adopter_breakdown') }}

    union all

    select 'support' as subject, sender_code, quarter, '' as case_pseudonym, 'total', 'total'
    from {{ ref('stg_support') }}

)

select
    broken_down.subject,
    broken_down.sender_code,
    broken_down.quarter,
    broken_down.case_pseudonym,
    broken_down.breakdown,
    broken_down.part as breakdown_value,
    declared.part_id
from broken_down
left join {{ ref('stg_breakdown') }} as declared
    on broken_down.breakdown = declared.breakdown
    and broken_down.part = declared.breakdown_value
    and declared.subject in (broken_down.subject, 'all')
