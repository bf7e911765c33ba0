select
    {{- select_declared('places', 'declared') }}
from {{ source('validated', 'places') }} as declared
