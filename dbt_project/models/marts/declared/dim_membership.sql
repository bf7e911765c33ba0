select
    {{- select_declared('memberships', 'declared') }}
from {{ ref('stg_membership') }} as declared
