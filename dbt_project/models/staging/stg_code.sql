select
    {{- select_declared('code_lists', 'declared') }}
from {{ source('validated', 'code_lists') }} as declared
