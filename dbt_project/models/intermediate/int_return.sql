-- Every return that was due or that came, and what became of it. A return that came without being
-- due is listed and stays out of the figures: another sender counts those households already.
with

in_force as (

    select
        reported.sender_code,
        reported.return_name,
        reported.quarter,
        reported.submission_id,
        reported.is_nil,
        reported.rows_read,
        reported.rows_accepted,
        reported.rows_quarantined,
        reported.errors,
        reported.queries,
        submission.received_at,
        submission.is_late
    from {{ ref('stg_submission_return') }} as reported
    inner join {{ ref('stg_submission') }} as submission
        on reported.submission_id = submission.submission_id
    where reported.is_in_force

),

refused as (

    select
        sender_code,
        quarter,
        count(*) as refused_deliveries,
        -- The newest by the ledger's order: a clock may have been set back between two deliveries.
        max(case when newest_first = 1 then received_at end) as last_refused_at
    from (
        select
            sender_code,
            quarter,
            received_at,
            row_number() over (
                partition by sender_code, quarter
                order by delivery_number desc
            ) as newest_first
        from {{ ref('stg_submission') }}
        where status = 'refused' and sender_code is not null and quarter is not null
    ) as numbered
    group by sender_code, quarter

),

held as (

    select distinct
        sender_code,
        quarter
    from {{ ref('stg_submission') }}
    where is_held and not is_withdrawn and sender_code is not null and quarter is not null

),

waiting as (

    select distinct
        sender_code,
        quarter
    from {{ ref('stg_submission') }}
    where status in ('received', 'held for confirmation')
        and sender_code is not null and quarter is not null

),

expected as (

    select
        sender_code,
        return_name,
        quarter,
        max(is_due) as is_due
    from (
        select sender_code, return_name, quarter, 1 as is_due
        from {{ ref('stg_return_due') }}
        union all
        select sender_code, return_name, quarter, 0 as is_due
        from in_force
    ) as either
    group by sender_code, return_name, quarter

)

select
    expected.sender_code,
    expected.return_name,
    expected.quarter,
    expected.is_due = 1 as is_due,
    case
        when in_force.is_nil then 'nil'
        when in_force.submission_id is not null then 'accepted'
        when held.sender_code is not null then 'held'
        when waiting.sender_code is not null then 'received'
        when refused.sender_code is not null then 'refused'
        else 'missing'
    end as status,
    in_force.submission_id is not null as is_accepted,
    in_force.submission_id,
    in_force.received_at,
    in_force.is_late,
    in_force.rows_read,
    in_force.rows_accepted,
    in_force.rows_quarantined,
    in_force.errors,
    in_force.queries,
    coalesce(refused.refused_deliveries, 0) as refused_deliveries,
    refused.last_refused_at
from expected
left join in_force
    on expected.sender_code = in_force.sender_code
    and expected.return_name = in_force.return_name
    and expected.quarter = in_force.quarter
left join refused
    on expected.sender_code = refused.sender_code and expected.quarter = refused.quarter
left join held
    on expected.sender_code = held.sender_code and expected.quarter = held.quarter
left join waiting
    on expected.sender_code = waiting.sender_code and expected.quarter = waiting.quarter
