-- The counts of the support return. A new measure is one more column, with a caption above it.
select
    sender_code,
    quarter,

    -- Requests for adoption support received in the quarter.
    coalesce(support_requests, 0) as support_requests,
    -- Assessments of support needs started in the quarter.
    coalesce(support_assessments_started, 0) as support_assessments_started,
    -- Assessments of support needs completed in the quarter.
    coalesce(support_assessments_completed, 0) as support_assessments_completed,
    -- Support plans agreed in the quarter.
    coalesce(support_plans_agreed, 0) as support_plans_agreed,
    -- Families receiving support on the quarter's last day (a stock).
    coalesce(families_receiving_support, 0) as families_receiving_support,
    -- Birth parents offered support in the quarter.
    coalesce(birth_parents_offered_support, 0) as birth_parents_offered_support,
    -- Birth parents who took support up in the quarter.
    coalesce(birth_parents_taking_up_support, 0) as birth_parents_taking_up_support,
    -- Contact arrangements active on the quarter's last day (a stock).
    coalesce(contact_arrangements_active, 0) as contact_arrangements_active,
    -- Exchanges under contact arrangements in the quarter.
    coalesce(contact_exchanges, 0) as contact_exchanges

from {{ ref('stg_support') }}
