select
    {{- select_declared('breaks_in_series', 'declared') }}
from {{ source('validated', 'breaks_in_series') }} as declared
