select
    indicator_id,
    nation_code,
    benchmark,
    since,
    until,
    status,
    source
from {{ source('validated', 'benchmarks') }}
