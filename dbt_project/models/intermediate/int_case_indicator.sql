-- On which side of an indicator a case stands: what it adds to the numerator, the denominator and the
-- event behind it. Cases that stand on none have no row.
with

side as (

    select subject, indicator_id, numerator as measure, 'numerator' as side
    from {{ ref('stg_indicator') }}
    union all
    select subject, indicator_id, denominator as measure, 'denominator' as side
    from {{ ref('stg_indicator') }}
    where denominator is not null
    union all
    -- The event of what is counted: the denominator, or the numerator of a count.
    select indicator.subject, indicator.indicator_id, counted.event as measure, 'event' as side
    from {{ ref('stg_indicator') }} as indicator
    inner join {{ ref('stg_measure') }} as counted
        on coalesce(indicator.denominator, indicator.numerator) = counted.measure
        and indicator.subject = counted.subject
    where counted.event is not null

)

select
    measured.subject,
    measured.sender_code,
    measured.quarter,
    measured.case_pseudonym,
    side.indicator_id,
    max(case when side.side = 'numerator' then 1 else 0 end) = 1 as is_in_numerator,
    max(case when side.side = 'denominator' then 1 else 0 end) = 1 as is_in_denominator,
    max(case when side.side = 'event' then 1 else 0 end) = 1 as has_event
from {{ ref('int_case_measure') }} as measured
inner join side on measured.subject = side.subject and measured.measure = side.measure
where measured.subject in ('child', 'adopter')
group by
    measured.subject,
    measured.sender_code,
    measured.quarter,
    measured.case_pseudonym,
    side.indicator_id
