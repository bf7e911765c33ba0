select
    {{- select_declared('code_lists', 'declared') }}
from {{ ref('stg_code') }} as declared
