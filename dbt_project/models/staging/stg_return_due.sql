select
    {{- select_declared('returns_due', 'declared') }}
from {{ source('validated', 'returns_due') }} as declared
