select
    quarter,
    financial_year,
    quarter_number,
    quarter_index,
    first_day,
    last_day
from {{ ref('stg_quarter') }}
