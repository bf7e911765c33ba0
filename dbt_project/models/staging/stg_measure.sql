select
    {{- select_declared('measures', 'declared') }}
from {{ source('validated', 'measures') }} as declared
