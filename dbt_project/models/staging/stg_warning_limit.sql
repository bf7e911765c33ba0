select
    {{- select_declared('warning_limits', 'declared') }}
from {{ source('validated', 'warning_limits') }} as declared
