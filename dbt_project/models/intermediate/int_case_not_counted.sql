-- Who has the event of an indicator and is not counted in it, and why: a date of the clock is missing
-- or out of order, or the definition asks for more.
with

date_field as (

    select table_name as subject, column_name as field
    from {{ source('validated', 'declared_columns') }}
    where data_type = 'date'

)

select
    reported.sender_code,
    reported.quarter,
    reported.nation_code,
    side.indicator_id,
    side.case_pseudonym,
    case
        when start_field.field is not null and started.day is null then 'start_not_known'
        when stop_field.field is not null and stopped.day is null then 'stop_not_known'
        when counted.needs_placement_order and reported.is_by_consent then 'by_consent'
        when started.day > stopped.day then 'start_after_stop'
        else 'not_in_definition'
    end as reason
from {{ ref('int_case_indicator') }} as side
inner join {{ ref('stg_indicator') }} as indicator
    on side.indicator_id = indicator.indicator_id
    and indicator.timing = 'flow'
    and indicator.clock_start is not null
inner join {{ ref('stg_measure') }} as counted
    on coalesce(indicator.denominator, indicator.numerator) = counted.measure
    and indicator.subject = counted.subject
inner join {{ ref('int_case') }} as reported
    on side.subject = reported.subject
    and side.sender_code = reported.sender_code
    and side.quarter = reported.quarter
    and side.case_pseudonym = reported.case_pseudonym
left join date_field as start_field
    on indicator.subject = start_field.subject and indicator.clock_start = start_field.field
left join date_field as stop_field
    on indicator.subject = stop_field.subject and indicator.clock_stop = stop_field.field
left join {{ ref('int_case_date') }} as started
    on side.subject = started.subject
    and side.sender_code = started.sender_code
    and side.quarter = started.quarter
    and side.case_pseudonym = started.case_pseudonym
    and start_field.field = started.field
left join {{ ref('int_case_date') }} as stopped
    on side.subject = stopped.subject
    and side.sender_code = stopped.sender_code
    and side.quarter = stopped.quarter
    and side.case_pseudonym = stopped.case_pseudonym
    and stop_field.field = stopped.field
where
    side.has_event
    and not case when indicator.denominator is null
        then side.is_in_numerator
        else side.is_in_denominator
    end
