-- The deliveries this build may see, and which of them is in force. What came after its quarter was
-- locked is held until a revision releases it, and what was withdrawn counts no more: the earlier
-- accepted delivery comes back. Both count as they were known at the moment of the build. Which of
-- two is the newer is decided by the number of the delivery: clocks are set back.
with

delivery as (

    select submission.*
    from {{ source('validated', 'submissions') }} as submission
    cross join (
        select max(last_delivery) as last_delivery
        from {{ source('validated', 'build') }}
    ) as build
    where build.last_delivery is null or submission.delivery_number <= build.last_delivery

),

accepted as (

    select
        submission_id,
        row_number() over (
            partition by sender_code, quarter
            order by delivery_number desc
        ) as newest_first
    from delivery
    where
        status like 'accepted%'
        and not coalesce(is_held, false)
        and not coalesce(is_withdrawn, false)

)

select
    delivery.submission_id,
    delivery.delivery_number,
    delivery.received_at,
    delivery.sha256,
    delivery.sender_code,
    delivery.quarter,
    delivery.version,
    delivery.declared_version,
    delivery.status,
    delivery.refusal_code,
    delivery.refusal_sentence_en,
    delivery.is_late,
    delivery.is_synthetic,
    delivery.signed_off_by_role,
    delivery.signed_off_on,
    delivery.rule_set_hash,
    delivery.state,
    coalesce(delivery.is_held, false) as is_held,
    coalesce(delivery.is_withdrawn, false) as is_withdrawn,
    delivery.withdrawn_at,
    delivery.released_in_revision,
    accepted.newest_first is not null and accepted.newest_first = 1 as is_in_force
from delivery
left join accepted on delivery.submission_id = accepted.submission_id
