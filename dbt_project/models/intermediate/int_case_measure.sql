-- Every measure as rows: whom it counts, or how many days it holds for them. Zeros are no rows. The
-- counts of the support return are of no case; each is the field of the same name.
with

measured as (

    select
        'child' as subject,
        sender_code,
        quarter,
        child_pseudonym as case_pseudonym,
        measure,
        amount
    from {{ columns_as_rows(
        ref('int_child_flow_measures'), 'measure', 'amount',
        without=['sender_code', 'quarter', 'child_pseudonym']
    ) }} as flow

    union all

    select 'child' as subject, sender_code, quarter, child_pseudonym, measure, amount
    from {{ columns_as_rows(
        ref('int_child_stock_measures'), 'measure', 'amount',
        without=['sender_code', 'quarter', 'child_pseudonym']
    ) }} as stock

    union all

    select 'adopter' as subject, sender_code, quarter, household_pseudonym, measure, amount
    from {{ columns_as_rows(
        ref('int_adopter_measures'), 'measure', 'amount',
        without=['sender_code', 'quarter', 'household_pseudonym']
    ) }} as household

    union all

    select 'support' as subject, sender_code, quarter, '' as case_pseudonym, measure, amount
    from {{ columns_as_rows(
        ref('stg_support'), 'measure', 'amount',
        without=['submission_id', 'sender_code', 'quarter', 'sheet_row', 'row_status']
    ) }} as support

)

select
    measured.subject,
    measured.sender_code,
    measured.quarter,
    measured.case_pseudonym,
    measured.measure,
    declared.measure_number,
    cast(measured.amount as bigint) as amount
from measured
left join {{ ref('stg_measure') }} as declared
    on measured.subject = declared.subject and measured.measure = declared.measure
where
    measured.amount <> 0
    -- A column of the others that is not declared stays, without a number, for a test to find.
    and (declared.measure is not null or measured.subject <> 'support')
