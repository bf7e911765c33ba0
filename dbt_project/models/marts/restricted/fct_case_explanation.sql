-- Whom an indicator leaves out, counts on one side only or counts as waiting newly or no longer, and why. Three kinds of reason:
--   an event of the quarter is not counted, as a date of the clock is missing or out of order, or
--   as the definition asks for more;
--   somebody is in the denominator and not in the numerator, or the other way round;
--   somebody began to wait since the quarter before, or no longer waits.
-- Rows set aside for errors are no cases here: fct_return counts them.
with

explained as (

    select sender_code, quarter, nation_code, indicator_id, case_pseudonym, reason
    from {{ ref('int_case_not_counted') }}

    union all

    select
        reported.sender_code,
        reported.quarter,
        reported.nation_code,
        side.indicator_id,
        side.case_pseudonym,
        case when side.is_in_numerator then 'numerator_only' else 'denominator_only' end as reason
    from {{ ref('int_case_indicator') }} as side
    inner join {{ ref('int_case') }} as reported
        on side.subject = reported.subject
        and side.sender_code = reported.sender_code
        and side.quarter = reported.quarter
        and side.case_pseudonym = reported.case_pseudonym
    inner join {{ ref('stg_indicator') }} as indicator
        on side.indicator_id = indicator.indicator_id and indicator.denominator is not null
    where side.is_in_numerator <> side.is_in_denominator

    union all

    select sender_code, quarter, nation_code, indicator_id, case_pseudonym, reason
    from {{ ref('int_case_moved') }}

)

select
    explained.sender_code,
    explained.quarter,
    explained.indicator_id,
    explained.case_pseudonym,
    explained.reason
from explained
inner join {{ ref('stg_indicator') }} as indicator
    on explained.indicator_id = indicator.indicator_id
    and explained.quarter >= coalesce(indicator.since, explained.quarter)
    and explained.quarter <= coalesce(indicator.until, explained.quarter)
inner join {{ ref('stg_indicator_nation') }} as asked
    on explained.indicator_id = asked.indicator_id and explained.nation_code = asked.nation_code
