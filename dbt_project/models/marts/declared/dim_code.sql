select * from {{ ref('stg_code') }}
