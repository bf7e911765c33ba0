select
    {{- select_declared('indicators_not_computed', 'declared') }}
from {{ source('validated', 'indicators_not_computed') }} as declared
