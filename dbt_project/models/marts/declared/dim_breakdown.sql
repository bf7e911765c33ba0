select * from {{ ref('stg_breakdown') }}
