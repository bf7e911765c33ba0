select
    {{- select_declared('breakdowns', 'declared') }},
    declared.part_id
from {{ ref('stg_breakdown') }} as declared
