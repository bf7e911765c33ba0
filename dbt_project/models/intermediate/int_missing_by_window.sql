-- What the returns missing from a nation would probably have held: each missing return counts with
-- its sender's mean of the last four returns accepted before it or, if there is none, with the mean
-- of the nation's accepted returns of that quarter. A proposed method; see docs/decisions.md.
{%- set measures = all_measures_in_use() %}
with

accepted as (

    select
        measured.*,
        quarter.quarter_index,
        place.nation_code
    from {{ ref('int_sender_measure') }} as measured
    inner join {{ ref('stg_quarter') }} as quarter on measured.quarter = quarter.quarter
    inner join {{ ref('stg_place') }} as place on measured.sender_code = place.place_code
    where measured.breakdown = 'total'

),

missing as (

    select
        returned.sender_code,
        returned.return_name as subject,
        returned.quarter,
        quarter.quarter_index,
        place.nation_code
    from {{ ref('int_return') }} as returned
    inner join {{ ref('stg_quarter') }} as quarter on returned.quarter = quarter.quarter
    inner join {{ ref('stg_place') }} as place on returned.sender_code = place.place_code
    where returned.is_due and not returned.is_accepted

),

earlier as (

    select
        missing.sender_code,
        missing.subject,
        missing.quarter,
        accepted.quarter_index as earlier_index,
        row_number() over (
            partition by missing.sender_code, missing.subject, missing.quarter
            order by accepted.quarter_index desc
        ) as newest_first
    from missing
    inner join accepted
        on missing.sender_code = accepted.sender_code
        and missing.subject = accepted.subject
        and missing.quarter_index > accepted.quarter_index

),

own_mean as (

    select
        earlier.sender_code,
        earlier.subject,
        earlier.quarter
        {%- for measure in measures %},
        avg(cast(accepted.{{ measure }} as double)) as {{ measure }}
        {%- endfor %}
    from earlier
    inner join accepted
        on earlier.sender_code = accepted.sender_code
        and earlier.subject = accepted.subject
        and earlier.earlier_index = accepted.quarter_index
    where earlier.newest_first <= 4
    group by earlier.sender_code, earlier.subject, earlier.quarter

),

nation_mean as (

    select
        nation_code,
        subject,
        quarter
        {%- for measure in measures %},
        avg(cast({{ measure }} as double)) as {{ measure }}
        {%- endfor %}
    from accepted
    group by nation_code, subject, quarter

),

filled as (

    select
        missing.nation_code,
        missing.subject,
        missing.quarter,
        case when own_mean.sender_code is not null then 1 else 0 end as by_own_mean,
        case when own_mean.sender_code is not null or nation_mean.nation_code is not null
            then 1 else 0
        end as is_filled
        {%- for measure in measures %},
        case when own_mean.sender_code is not null
            then own_mean.{{ measure }}
            else nation_mean.{{ measure }}
        end as {{ measure }}
        {%- endfor %}
    from missing
    left join own_mean
        on missing.sender_code = own_mean.sender_code
        and missing.subject = own_mean.subject
        and missing.quarter = own_mean.quarter
    left join nation_mean
        on missing.nation_code = nation_mean.nation_code
        and missing.subject = nation_mean.subject
        and missing.quarter = nation_mean.quarter

)

select
    filled.nation_code as place_code,
    filled.subject,
    span.quarter,
    span.window_name,
    count(*) as returns_missing,
    cast(sum(filled.is_filled) as bigint) as returns_filled,
    cast(sum(filled.by_own_mean) as bigint) as returns_filled_by_own_mean
    {%- for measure in measures %},
    sum(filled.{{ measure }}) as {{ measure }}
    {%- endfor %}
from filled
inner join {{ ref('int_window') }} as span on filled.quarter = span.covered_quarter
group by filled.nation_code, filled.subject, span.quarter, span.window_name
