-- Into which part of each breakdown a household falls, as the return of that quarter reports it. A
-- new breakdown is one more column at the end and one more entry in sources/breakdowns.yaml. No
-- column is ever empty: what is not known is called so, and the parts add up to the total.
select
    sender_code,
    quarter,
    household_pseudonym,
    coalesce(adopters_in_household, 'unknown') as adopters_in_household,
    coalesce(is_fast_track, 'unknown') as is_fast_track,
    coalesce(is_willing_sibling_group, 'unknown') as is_willing_sibling_group,
    coalesce(is_willing_aged_five_and_over, 'unknown') as is_willing_aged_five_and_over,
    coalesce(is_willing_additional_needs, 'unknown') as is_willing_additional_needs,
    coalesce(is_willing_early_permanence, 'unknown') as is_willing_early_permanence

from {{ ref('stg_adopter') }}
