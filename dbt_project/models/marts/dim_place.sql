select
    place.place_code,
    place.name_en,
    place.name_cy,
    place.kind,
    place.nation_code,
    nation.name_en as nation_name_en,
    nation.name_cy as nation_name_cy,
    place.gss_code,
    place.since,
    place.until,
    place.status,
    place.source,
    place.note
from {{ ref('stg_place') }} as place
left join {{ ref('stg_place') }} as nation on place.nation_code = nation.place_code
