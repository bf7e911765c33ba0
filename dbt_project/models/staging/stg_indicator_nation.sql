select
    indicator_id,
    nation_code
from {{ source('validated', 'indicator_nations') }}
