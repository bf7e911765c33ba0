select * from {{ source('validated', 'indicators_not_computed') }}
