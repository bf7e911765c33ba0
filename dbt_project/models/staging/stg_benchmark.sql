select
    {{- select_declared('benchmarks', 'declared') }}
from {{ source('validated', 'benchmarks') }} as declared
