-- How many returns of a nation are missing from a window, and how many of them could be filled.
with

missing as (

    select
        nation_code,
        sender_code,
        subject,
        quarter,
        max(case when used_quarter is not null then 1 else 0 end) as is_filled,
        max(case when is_own then 1 else 0 end) as is_filled_by_own_mean
    from {{ ref('int_missing_return') }}
    group by nation_code, sender_code, subject, quarter

)

select
    missing.nation_code as place_code,
    missing.subject,
    span.quarter,
    span.window_name,
    count(*) as returns_missing,
    cast(sum(missing.is_filled) as bigint) as returns_filled,
    cast(sum(missing.is_filled_by_own_mean) as bigint) as returns_filled_by_own_mean
from missing
inner join {{ ref('int_window') }} as span on missing.quarter = span.covered_quarter
group by missing.nation_code, missing.subject, span.quarter, span.window_name
