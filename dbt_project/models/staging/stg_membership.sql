select
    {{- select_declared('memberships', 'declared') }}
from {{ source('validated', 'memberships') }} as declared
