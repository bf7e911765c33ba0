-- Where an indicator is asked for. Whoever is asked for the year to date is asked for the whole
-- financial year, too.
with

asked_for as (

    select indicator_id, window_name
    from {{ ref('stg_indicator_window') }}
    union
    select indicator_id, 'financial_year' as window_name
    from {{ ref('stg_indicator_window') }}
    where window_name = 'year_to_date'

)

select
    indicator.indicator_id,
    indicator.indicator_number,
    indicator.subject,
    indicator.timing,
    nation.nation_code,
    asked_for.window_name,
    -- A stock is what stood on the last day, however long the window.
    case when indicator.timing = 'stock' then 'quarter' else asked_for.window_name
    end as summed_over,
    numerator.measure_number as numerator_number,
    denominator.measure_number as denominator_number,
    indicator.since,
    indicator.until
from {{ ref('stg_indicator') }} as indicator
inner join {{ ref('stg_indicator_nation') }} as nation
    on indicator.indicator_id = nation.indicator_id
inner join asked_for on indicator.indicator_id = asked_for.indicator_id
inner join {{ ref('stg_measure') }} as numerator
    on indicator.numerator = numerator.measure and indicator.subject = numerator.subject
left join {{ ref('stg_measure') }} as denominator
    on indicator.denominator = denominator.measure and indicator.subject = denominator.subject
