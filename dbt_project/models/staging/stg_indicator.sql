select
    declared.*,
    -- Rows of fct_indicator_part carry this number: thirty million times a text would be too long.
    cast(row_number() over (order by declared.indicator_id) as integer) as indicator_number
from {{ source('validated', 'indicators') }} as declared
