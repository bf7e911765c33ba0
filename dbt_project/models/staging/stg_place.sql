select
    place_code,
    name_en,
    name_cy,
    kind,
    nation_code,
    gss_code,
    since,
    until,
    status,
    source,
    note
from {{ source('validated', 'places') }}
