-- Where and when a figure is, and what it rests on, once for all indicators of a subject.
select
    coverage_id,
    place_code,
    membership_basis,
    subject,
    quarter,
    window_name,
    returns_expected,
    returns_accepted,
    quarters_in_window,
    quarters_covered,
    returns_accepted = returns_expected and quarters_covered = quarters_in_window as is_complete
from {{ ref('int_coverage_by_window') }}
