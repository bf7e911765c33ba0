select
    {{- select_declared('breaks_in_series', 'declared') }}
from {{ ref('stg_break_in_series') }} as declared
