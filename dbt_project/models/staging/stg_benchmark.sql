select * from {{ source('validated', 'benchmarks') }}
