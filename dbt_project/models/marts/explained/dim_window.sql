select
    window_name,
    quarter,
    covered_quarter,
    quarters_in_window
from {{ ref('int_window') }}
