-- Whom an indicator leaves out, counts on one side only or counts as waiting newly or no longer, and why. Three kinds of reason:
--   an event of the quarter is not counted, as a date of the clock is missing or out of order, or
--   as the definition asks for more;
--   somebody is in the denominator and not in the numerator, or the other way round;
--   somebody began to wait since the quarter before, or no longer waits.
-- Rows set aside for errors are no cases here: fct_return counts them.
--
-- sources/measures names the event of a measure, as children_placed is the event of
-- children_placed_with_authority: whoever has the event and not the measure is explained here.
--
-- Measures are read where they stand side by side: joining them as rows took three times as long.
{%- set people = {
    'child': {
        'key': 'child_pseudonym',
        'rows': ref('stg_child'),
        'measured': ref('int_child_measures'),
        'authority': 'authority_to_place',
        'ends_of_waiting': {
            'adoption_order_on': 'left_adopted',
            'placed_on': 'left_placed',
            'plan_ended_on': 'left_plan_ended',
            'referral_withdrawn_on': 'left_referral_withdrawn',
            'matched_on': 'left_matched',
        },
    },
    'adopter': {
        'key': 'household_pseudonym',
        'rows': ref('stg_adopter'),
        'measured': ref('int_adopter_measures'),
        'authority': none,
        'ends_of_waiting': {
            'placed_on': 'left_placed',
            'matched_on': 'left_matched',
            'left_on': 'left_agency',
            'approved_on': 'left_approved',
        },
    },
} %}
{%- set catalogue = indicators_in_catalogue() %}
{%- set measures = measures_declared() %}
{%- for subject, group in people.items() %}
    {%- set asked = catalogue | selectattr('subject', 'equalto', subject) | list %}
    {%- set dates = columns_declared(subject) | selectattr('type', 'equalto', 'date')
        | map(attribute='name') | list %}
    {%- set clocked, one_sided, stocks, needed = [], [], [], [] %}
    {%- for indicator in asked %}
        {%- set counted = indicator.denominator or indicator.numerator %}
        {%- set event = measures[counted].event %}
        {%- if event and indicator.timing == 'flow' and indicator.clock_start %}
            {%- do clocked.append((indicator, counted, event)) %}
        {%- endif %}
        {%- do one_sided.append(indicator) if indicator.denominator %}
        {%- do stocks.append(indicator) if indicator.timing == 'stock' %}
        {%- for measure in [indicator.numerator, indicator.denominator, event] if measure %}
            {%- do needed.append(measure) if measure not in needed %}
        {%- endfor %}
    {%- endfor %}
    {%- do group.update({
        'dates': dates, 'clocked': clocked, 'one_sided': one_sided, 'stocks': stocks,
        'needed': needed, 'waits': stocks | map(attribute='numerator') | unique | list,
    }) %}
{%- endfor %}
with

reported as (

    select
        returned.sender_code,
        returned.return_name as subject,
        returned.quarter,
        quarter.quarter_index,
        quarter.first_day,
        quarter.last_day,
        place.nation_code
    from {{ ref('int_return') }} as returned
    inner join {{ ref('stg_quarter') }} as quarter on returned.quarter = quarter.quarter
    inner join {{ ref('stg_place') }} as place on returned.sender_code = place.place_code
    where returned.is_due and returned.is_accepted

)
{%- for subject, group in people.items() %},

{{ subject }}_row as (

    select
        reported.sender_code,
        reported.quarter,
        reported.quarter_index,
        reported.nation_code,
        on_return.{{ group.key }} as case_pseudonym,
        {% if group.authority -%}
        coalesce(on_return.{{ group.authority }} = 'consent', false)
        {%- else -%}
        false
        {%- endif %} as is_by_consent
        {%- for date in group.dates %},
        on_return.{{ date }}
        {%- endfor %}
        {%- for measure in group.needed %},
        measured.{{ measure }}
        {%- endfor %}
    from reported
    inner join {{ group.measured }} as measured
        on reported.sender_code = measured.sender_code and reported.quarter = measured.quarter
    inner join {{ group.rows }} as on_return
        on measured.sender_code = on_return.sender_code
        and measured.quarter = on_return.quarter
        and measured.{{ group.key }} = on_return.{{ group.key }}
    where reported.subject = '{{ subject }}'

),

{{ subject }}_uncounted as (
    {%- for indicator, counted, event in group.clocked %}
    {%- set start = indicator.clock_start if indicator.clock_start in group.dates %}
    {%- set stop = indicator.clock_stop if indicator.clock_stop in group.dates %}

    select
        measured.sender_code,
        measured.quarter,
        '{{ indicator.indicator_id }}' as indicator_id,
        measured.case_pseudonym,
        case
            {%- if start %}
            when measured.{{ start }} is null then 'start_not_known'
            {%- endif %}
            {%- if stop %}
            when measured.{{ stop }} is null then 'stop_not_known'
            {%- endif %}
            {%- if measures[counted].needs_placement_order %}
            when measured.is_by_consent then 'by_consent'
            {%- endif %}
            {%- if start and stop %}
            when measured.{{ start }} > measured.{{ stop }} then 'start_after_stop'
            {%- endif %}
            else 'not_in_definition'
        end as reason
    from {{ subject }}_row as measured
    where
        measured.{{ event }} <> 0
        and measured.{{ counted }} = 0
        and {{ asked_of(indicator) }}
    union all
    {%- endfor %}

    select sender_code, quarter, '' as indicator_id, case_pseudonym, '' as reason
    from {{ subject }}_row
    where 1 = 0

),

{{ subject }}_one_sided as (
    {%- for indicator in group.one_sided %}

    select
        measured.sender_code,
        measured.quarter,
        '{{ indicator.indicator_id }}' as indicator_id,
        measured.case_pseudonym,
        case when measured.{{ indicator.numerator }} = 0
            then 'denominator_only' else 'numerator_only'
        end as reason
    from {{ subject }}_row as measured
    where
        (measured.{{ indicator.numerator }} = 0) <> (measured.{{ indicator.denominator }} = 0)
        and {{ asked_of(indicator) }}
    union all
    {%- endfor %}

    select sender_code, quarter, '' as indicator_id, case_pseudonym, '' as reason
    from {{ subject }}_row
    where 1 = 0

),

-- Everybody on this return or on the one before it. Comparable only where both came.
{{ subject }}_pair as (

    select
        here.sender_code,
        here.quarter,
        here.nation_code,
        here.first_day,
        here.last_day,
        coalesce(now.case_pseudonym, earlier.case_pseudonym) as case_pseudonym,
        now.case_pseudonym is not null as is_on_return
        {%- for date in group.ends_of_waiting %},
        now.{{ date }}
        {%- endfor %}
        {%- for measure in group.waits %},
        coalesce(now.{{ measure }}, 0) as {{ measure }},
        coalesce(earlier.{{ measure }}, 0) as earlier_{{ measure }}
        {%- endfor %}
    from {{ subject }}_row as now
    full outer join {{ subject }}_row as earlier
        on now.sender_code = earlier.sender_code
        and now.case_pseudonym = earlier.case_pseudonym
        and now.quarter_index = earlier.quarter_index + 1
    inner join reported as here
        on coalesce(now.sender_code, earlier.sender_code) = here.sender_code
        and coalesce(now.quarter_index, earlier.quarter_index + 1) = here.quarter_index
        and here.subject = '{{ subject }}'
    inner join reported as before
        on here.sender_code = before.sender_code
        and here.quarter_index = before.quarter_index + 1
        and before.subject = '{{ subject }}'

),

{{ subject }}_moved as (
    {%- for indicator in group.stocks %}
    {%- set waits = indicator.numerator %}

    select
        measured.sender_code,
        measured.quarter,
        '{{ indicator.indicator_id }}' as indicator_id,
        measured.case_pseudonym,
        case
            when measured.{{ waits }} <> 0 then 'joined'
            when not measured.is_on_return then 'left_return'
            -- What the clock stops for comes first: matched and placed in one quarter is matched.
            {%- for date, reason in group.ends_of_waiting.items() if date == indicator.clock_stop %}
            when measured.{{ date }} between measured.first_day and measured.last_day
                then '{{ reason }}'
            {%- endfor %}
            {%- for date, reason in group.ends_of_waiting.items() %}
            when measured.{{ date }} between measured.first_day and measured.last_day
                then '{{ reason }}'
            {%- endfor %}
            else 'left_otherwise'
        end as reason
    from {{ subject }}_pair as measured
    where
        (measured.{{ waits }} = 0) <> (measured.earlier_{{ waits }} = 0)
        and {{ asked_of(indicator) }}
    union all
    {%- endfor %}

    select sender_code, quarter, '' as indicator_id, case_pseudonym, '' as reason
    from {{ subject }}_row
    where 1 = 0

)
{%- endfor %}
{%- for subject in people %}
{%- for kind in ['uncounted', 'one_sided', 'moved'] %}
{%- set is_last = loop.last %}

select
    sender_code,
    quarter,
    indicator_id,
    case_pseudonym,
    reason
from {{ subject }}_{{ kind }}
{{ 'union all' if not is_last }}
{%- endfor %}
{{ 'union all' if not loop.last }}
{%- endfor %}
