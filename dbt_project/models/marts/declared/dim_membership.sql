select * from {{ ref('stg_membership') }}
