-- Which children are behind rpt_early_warning: those past a limit or within the longest horizon.
select
    indicator_id,
    sender_code,
    quarter,
    child_pseudonym,
    days_waited,
    days_until_passed,
    case
        when days_until_passed <= 0 then 'past'
        when days_until_passed <= 30 then 'within 30 days'
        when days_until_passed <= 60 then 'within 60 days'
        when days_until_passed <= 90 then 'within 90 days'
    end as warning
from {{ ref('int_early_warning') }}
where days_until_passed <= 90
