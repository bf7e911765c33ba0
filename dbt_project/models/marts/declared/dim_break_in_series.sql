select * from {{ ref('stg_break_in_series') }}
