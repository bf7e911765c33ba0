select * from {{ ref('stg_indicator_not_computed') }}
