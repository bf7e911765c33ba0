select
    place.*,
    nation.name_en as nation_name_en,
    nation.name_cy as nation_name_cy
from {{ ref('stg_place') }} as place
left join {{ ref('stg_place') }} as nation on place.nation_code = nation.place_code
