select
    {{- select_declared('indicators_not_computed', 'declared') }}
from {{ ref('stg_indicator_not_computed') }} as declared
