-- Rows of every return in force, counted three times: in the ledger's verdict, where they were staged
-- and where they were measured. A row lost on the way would otherwise be a smaller figure that looks
-- like any other.
with

in_ledger as (

    select
        submission_id,
        sender_code,
        quarter,
        return_name,
        rows_accepted
    from {{ ref('stg_submission_return') }}
    where is_in_force

),

staged as (

    select sender_code, quarter, 'child' as return_name, count(*) as number_of_rows
    from {{ ref('stg_child') }}
    group by sender_code, quarter
    union all
    select sender_code, quarter, 'adopter' as return_name, count(*) as number_of_rows
    from {{ ref('stg_adopter') }}
    group by sender_code, quarter
    union all
    select sender_code, quarter, 'support' as return_name, count(*) as number_of_rows
    from {{ ref('stg_support') }}
    group by sender_code, quarter

),

measured as (

    select flow.sender_code, flow.quarter, 'child' as return_name, count(*) as number_of_rows
    from {{ ref('int_child_flow_measures') }} as flow
    inner join {{ ref('int_child_stock_measures') }} as stock
        on flow.sender_code = stock.sender_code
        and flow.quarter = stock.quarter
        and flow.child_pseudonym = stock.child_pseudonym
    group by flow.sender_code, flow.quarter
    union all
    select sender_code, quarter, 'adopter' as return_name, count(*) as number_of_rows
    from {{ ref('int_adopter_measures') }}
    group by sender_code, quarter
    union all
    -- A count of the support return is its field: what is staged is measured.
    select sender_code, quarter, 'support' as return_name, count(*) as number_of_rows
    from {{ ref('stg_support') }}
    group by sender_code, quarter

),

counted as (

    select
        in_ledger.submission_id,
        coalesce(in_ledger.sender_code, staged.sender_code) as sender_code,
        coalesce(in_ledger.quarter, staged.quarter) as quarter,
        coalesce(in_ledger.return_name, staged.return_name) as return_name,
        coalesce(in_ledger.rows_accepted, 0) as rows_in_ledger,
        coalesce(staged.number_of_rows, 0) as rows_staged
    from in_ledger
    full outer join staged
        on in_ledger.sender_code = staged.sender_code
        and in_ledger.quarter = staged.quarter
        and in_ledger.return_name = staged.return_name

)

select
    counted.submission_id,
    counted.sender_code,
    counted.quarter,
    counted.return_name,
    counted.rows_in_ledger,
    counted.rows_staged,
    coalesce(measured.number_of_rows, 0) as rows_measured,
    counted.submission_id is not null
    and counted.rows_in_ledger = counted.rows_staged
    and counted.rows_staged = coalesce(measured.number_of_rows, 0) as is_reconciled
from counted
left join measured
    on counted.sender_code = measured.sender_code
    and counted.quarter = measured.quarter
    and counted.return_name = measured.return_name
