-- The deliveries this build may see, and which of them is in force.
with

delivery as (

    select submission.*
    from {{ source('validated', 'submissions') }} as submission
    cross join (select max(as_of) as as_of from {{ source('validated', 'build') }}) as build
    where build.as_of is null or submission.received_at <= build.as_of

),

accepted as (

    select
        submission_id,
        row_number() over (
            partition by sender_code, quarter
            order by received_at desc, delivery_number desc
        ) as newest_first
    from delivery
    where status like 'accepted%'

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
    accepted.newest_first is not null and accepted.newest_first = 1 as is_in_force
from delivery
left join accepted on delivery.submission_id = accepted.submission_id
