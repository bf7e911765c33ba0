select
    {{- select_declared('indicators', 'declared') }},
    declared.indicator_number
from {{ ref('stg_indicator') }} as declared
