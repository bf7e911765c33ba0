select
    {{- select_declared('measures', 'declared') }}
from {{ ref('stg_measure') }} as declared
