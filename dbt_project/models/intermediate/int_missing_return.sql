-- What a missing return is filled from: its sender's last four returns accepted before it or, if there
-- are none, the nation's accepted returns of that quarter. A proposed method; see docs/decisions.md.
with

due as (

    select
        returned.sender_code,
        returned.return_name as subject,
        returned.quarter,
        quarter.quarter_index,
        place.nation_code,
        returned.is_accepted
    from {{ ref('int_return') }} as returned
    inner join {{ ref('stg_quarter') }} as quarter on returned.quarter = quarter.quarter
    inner join {{ ref('stg_place') }} as place on returned.sender_code = place.place_code
    where returned.is_due

),

earlier as (

    select
        missing.sender_code,
        missing.subject,
        missing.quarter,
        accepted.quarter as used_quarter,
        row_number() over (
            partition by missing.sender_code, missing.subject, missing.quarter
            order by accepted.quarter_index desc
        ) as newest_first
    from due as missing
    inner join due as accepted
        on missing.sender_code = accepted.sender_code
        and missing.subject = accepted.subject
        and missing.quarter_index > accepted.quarter_index
    where not missing.is_accepted and accepted.is_accepted

),

used as (

    select
        missing.nation_code,
        missing.sender_code,
        missing.subject,
        missing.quarter,
        earlier.used_quarter is not null as is_own,
        case when earlier.used_quarter is not null
            then missing.sender_code
            else other.sender_code
        end as used_sender_code,
        coalesce(earlier.used_quarter, other.quarter) as used_quarter
    from due as missing
    left join earlier
        on missing.sender_code = earlier.sender_code
        and missing.subject = earlier.subject
        and missing.quarter = earlier.quarter
        and earlier.newest_first <= 4
    left join due as other
        on earlier.used_quarter is null
        and missing.nation_code = other.nation_code
        and missing.subject = other.subject
        and missing.quarter = other.quarter
        and other.is_accepted
    where not missing.is_accepted

)

select
    nation_code,
    sender_code,
    subject,
    quarter,
    is_own,
    used_sender_code,
    used_quarter,
    count(used_quarter) over (partition by sender_code, subject, quarter) as returns_used
from used
