select
    declared.*,
    -- Sums carry this number: a text for each would take twice the time.
    cast(row_number() over (order by declared.measure) as integer) as measure_number
from {{ source('validated', 'measures') }} as declared
