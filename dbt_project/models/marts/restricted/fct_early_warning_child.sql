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
        {%- for days in warning_horizons() %}
        when days_until_passed <= {{ days }} then 'within {{ days }} days'
        {%- endfor %}
    end as warning
from {{ ref('int_early_warning') }}
where days_until_passed <= {{ warning_horizons() | max }}
