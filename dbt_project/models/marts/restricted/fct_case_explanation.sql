-- Who is not where a reader may look for them, and why. Three kinds of reason:
--   an event of the quarter is not counted, as a date of the clock is missing or out of order, or
--   as the definition asks for more;
--   somebody is below the line of a fraction and not above it, or the other way round;
--   somebody began to wait since the quarter before, or no longer waits.
-- Rows set aside for errors are no cases here: fct_return counts them.
--
-- The event of a measure is the one whose name begins the measure's, as children_placed begins
-- children_placed_with_authority, provided that nobody on any return has the second without the
-- first: of children_referred and children_referred_to_adopting_together that is not so.
{%- set subjects = {
    'child': {
        'key': 'child_pseudonym',
        'rows': ref('stg_child'),
        'amounts': ref('fct_child_measure'),
        'wide': ref('int_child_measures'),
        'measures': measure_columns(ref('int_child_measures')),
        'authority': 'authority_to_place',
        'dates': [
            'entered_care_on', 'referred_on', 'referral_withdrawn_on',
            'should_be_placed_decision_on', 'placement_order_on', 'referred_to_register_on',
            'adopting_together_referred_on', 'matched_on', 'placed_on', 'adoption_order_on',
            'plan_ended_on', 'disrupted_on', 'early_permanence_placed_on',
            'foster_placement_started_on', 'life_journey_materials_on',
        ],
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
        'amounts': ref('fct_adopter_measure'),
        'wide': ref('int_adopter_measures'),
        'measures': measure_columns(ref('int_adopter_measures')),
        'authority': none,
        'dates': [
            'enquired_on', 'initial_meeting_on', 'registered_on', 'stage_one_started_on',
            'stage_one_completed_on', 'stage_two_started_on', 'approved_on',
            'referred_to_register_on', 'matched_on', 'placed_on', 'left_on',
        ],
        'ends_of_waiting': {
            'placed_on': 'left_placed',
            'matched_on': 'left_matched',
            'left_on': 'left_agency',
            'approved_on': 'left_approved',
        },
    },
} %}
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

),

asked as (

    select
        indicator.indicator_id,
        indicator.subject,
        indicator.timing,
        indicator.numerator,
        indicator.denominator,
        coalesce(indicator.denominator, indicator.numerator) as counted,
        indicator.clock_start,
        indicator.clock_stop,
        indicator.since,
        indicator.until,
        nation.nation_code
    from {{ ref('stg_indicator') }} as indicator
    inner join {{ ref('stg_indicator_nation') }} as nation
        on indicator.indicator_id = nation.indicator_id

),

-- Which indicators are asked of which return.
asked_of as (

    select
        asked.*,
        reported.sender_code,
        reported.quarter,
        reported.quarter_index,
        reported.first_day,
        reported.last_day
    from asked
    inner join reported
        on asked.subject = reported.subject
        and asked.nation_code = reported.nation_code
        and reported.quarter >= coalesce(asked.since, reported.quarter)
        and reported.quarter <= coalesce(asked.until, reported.quarter)

)
{%- for subject, it in subjects.items() %},

{{ subject }}_case as (

    select
        sender_code,
        quarter,
        {{ it.key }} as case_pseudonym,
        measure
    from {{ it.amounts }}

),

{{ subject }}_named_alike as (
    {%- for measure in it.measures %}
    {%- set ns = namespace(event='') %}
    {%- for other in it.measures %}
    {%- if measure.startswith(other ~ '_') and other | length > ns.event | length %}
    {%- set ns.event = other %}
    {%- endif %}
    {%- endfor %}
    {%- if ns.event %}

    select
        '{{ measure }}' as measure,
        '{{ ns.event }}' as event,
        sum(case when {{ measure }} <> 0 and {{ ns.event }} = 0 then 1 else 0 end)
            as cases_without_event
    from {{ it.wide }}
    union all
    {%- endif %}
    {%- endfor %}

    select '' as measure, '' as event, 0 as cases_without_event

),

{{ subject }}_event as (

    select
        measure,
        event
    from {{ subject }}_named_alike
    where cases_without_event = 0

),

{{ subject }}_uncounted as (

    select
        asked_of.*,
        happened.case_pseudonym
    from asked_of
    inner join {{ subject }}_event as event on asked_of.counted = event.measure
    inner join {{ subject }}_case as happened
        on event.event = happened.measure
        and asked_of.sender_code = happened.sender_code
        and asked_of.quarter = happened.quarter
    left join {{ subject }}_case as counted
        on asked_of.counted = counted.measure
        and happened.sender_code = counted.sender_code
        and happened.quarter = counted.quarter
        and happened.case_pseudonym = counted.case_pseudonym
    where
        asked_of.subject = '{{ subject }}'
        and asked_of.timing = 'flow'
        and asked_of.clock_start is not null
        and counted.measure is null

),

{{ subject }}_clocked as (

    select
        uncounted.indicator_id,
        uncounted.sender_code,
        uncounted.quarter,
        uncounted.case_pseudonym,
        uncounted.counted,
        {%- for end in ('start', 'stop') %}
        case
            {%- for date in it.dates %}
            when uncounted.clock_{{ end }} = '{{ date }}' then uncounted_row.{{ date }}
            {%- endfor %}
        end as {{ end }}_day,
        uncounted.clock_{{ end }} in (
            {%- for date in it.dates %}
            '{{ date }}'{{ ',' if not loop.last }}
            {%- endfor %}
        ) as has_{{ end }},
        {%- endfor %}
        {% if it.authority -%}
        coalesce(uncounted_row.{{ it.authority }} = 'consent', false)
        {%- else -%}
        false
        {%- endif %} as is_by_consent
    from {{ subject }}_uncounted as uncounted
    inner join {{ it.rows }} as uncounted_row
        on uncounted.sender_code = uncounted_row.sender_code
        and uncounted.quarter = uncounted_row.quarter
        and uncounted.case_pseudonym = uncounted_row.{{ it.key }}

),

{{ subject }}_one_sided as (
    {%- for present, absent in (('denominator', 'numerator'), ('numerator', 'denominator')) %}

    select
        asked_of.indicator_id,
        asked_of.sender_code,
        asked_of.quarter,
        present.case_pseudonym,
        '{{ present }}_only' as reason
    from asked_of
    inner join {{ subject }}_case as present
        on asked_of.{{ present }} = present.measure
        and asked_of.sender_code = present.sender_code
        and asked_of.quarter = present.quarter
    left join {{ subject }}_case as absent
        on asked_of.{{ absent }} = absent.measure
        and present.sender_code = absent.sender_code
        and present.quarter = absent.quarter
        and present.case_pseudonym = absent.case_pseudonym
    where
        asked_of.subject = '{{ subject }}'
        and asked_of.denominator is not null
        and absent.measure is null
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- Comparable only where the quarter before was reported as well.
{{ subject }}_stock as (

    select
        asked_of.indicator_id,
        asked_of.numerator,
        asked_of.clock_stop,
        asked_of.sender_code,
        asked_of.quarter,
        asked_of.first_day,
        asked_of.last_day,
        waited.quarter as quarter_before
    from asked_of
    inner join reported as waited
        on asked_of.subject = waited.subject
        and asked_of.sender_code = waited.sender_code
        and asked_of.quarter_index = waited.quarter_index + 1
    where asked_of.subject = '{{ subject }}' and asked_of.timing = 'stock'

),

{{ subject }}_joined as (

    select
        stock.indicator_id,
        stock.sender_code,
        stock.quarter,
        waiting.case_pseudonym,
        'joined' as reason
    from {{ subject }}_stock as stock
    inner join {{ subject }}_case as waiting
        on stock.numerator = waiting.measure
        and stock.sender_code = waiting.sender_code
        and stock.quarter = waiting.quarter
    left join {{ subject }}_case as waited
        on waiting.measure = waited.measure
        and waiting.sender_code = waited.sender_code
        and stock.quarter_before = waited.quarter
        and waiting.case_pseudonym = waited.case_pseudonym
    where waited.measure is null

),

{{ subject }}_left as (

    select
        stock.indicator_id,
        stock.sender_code,
        stock.quarter,
        waited.case_pseudonym,
        case
            when on_return.{{ it.key }} is null then 'left_return'
            -- What the clock stops for comes first: matched and placed in one quarter is matched.
            {%- for date, reason in it.ends_of_waiting.items() %}
            when
                stock.clock_stop = '{{ date }}'
                and on_return.{{ date }} between stock.first_day and stock.last_day
                then '{{ reason }}'
            {%- endfor %}
            {%- for date, reason in it.ends_of_waiting.items() %}
            when on_return.{{ date }} between stock.first_day and stock.last_day then '{{ reason }}'
            {%- endfor %}
            else 'left_otherwise'
        end as reason
    from {{ subject }}_stock as stock
    inner join {{ subject }}_case as waited
        on stock.numerator = waited.measure
        and stock.sender_code = waited.sender_code
        and stock.quarter_before = waited.quarter
    left join {{ subject }}_case as waiting
        on waited.measure = waiting.measure
        and waited.sender_code = waiting.sender_code
        and stock.quarter = waiting.quarter
        and waited.case_pseudonym = waiting.case_pseudonym
    left join {{ it.rows }} as on_return
        on waited.sender_code = on_return.sender_code
        and stock.quarter = on_return.quarter
        and waited.case_pseudonym = on_return.{{ it.key }}
    where waiting.measure is null

)
{%- endfor %}
{%- for subject in subjects %}

select
    sender_code,
    quarter,
    indicator_id,
    case_pseudonym,
    case
        when has_start and start_day is null then 'start_not_known'
        when has_stop and stop_day is null then 'stop_not_known'
        when is_by_consent and counted like '%placement_order%' then 'by_consent'
        when start_day > stop_day then 'start_after_stop'
        else 'not_in_definition'
    end as reason
from {{ subject }}_clocked
union all
select sender_code, quarter, indicator_id, case_pseudonym, reason from {{ subject }}_one_sided
union all
select sender_code, quarter, indicator_id, case_pseudonym, reason from {{ subject }}_joined
union all
select sender_code, quarter, indicator_id, case_pseudonym, reason from {{ subject }}_left
{{ 'union all' if not loop.last }}
{%- endfor %}
