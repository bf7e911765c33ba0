select * from {{ ref('stg_indicator') }}
