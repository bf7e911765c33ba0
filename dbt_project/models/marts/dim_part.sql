-- Where, when and which part a row of fct_indicator_part is about, and what it rests on.
select
    part_id,
    place_code,
    quarter,
    window_name,
    membership_basis,
    subject,
    breakdown,
    breakdown_value,
    returns_expected,
    returns_accepted,
    quarters_in_window,
    quarters_covered,
    returns_accepted = returns_expected and quarters_covered = quarters_in_window as is_complete
from {{ ref('int_measure_by_window') }}
where not is_total
