-- Into which part of each breakdown a child falls, as the return of that quarter reports it. A new
-- breakdown is one more column at the end and one more entry in sources/breakdowns.yaml. No column
-- is ever empty: what is not known is called so, and the parts add up to the total.
with

child as (

    select
        child.*,
        -- Quarters end with their month, so the month of birth is enough: whoever was born in it has
        -- had the birthday.
        extract(year from quarter.last_day) * 12 + extract(month from quarter.last_day)
        - extract(year from child.birth_month) * 12 - extract(month from child.birth_month)
            as months_old,
        coalesce(child.ethnicity_group, 'unknown') as ethnicity,
        case
            when child.siblings_placed_together > 1 then 'sibling_group'
            when child.siblings_placed_together = 1 then 'single'
            when child.sibling_group_pseudonym is not null then 'sibling_group'
            else 'unknown'
        end as siblings,
        coalesce(child.has_additional_needs, 'unknown') as needs,
        coalesce(child.is_disabled, 'unknown') as disability
    from {{ ref('stg_child') }} as child
    inner join {{ ref('stg_quarter') }} as quarter
        on child.quarter = quarter.quarter

),

shared as (

    -- What harder to place means in both nations; age and needs differ.
    select
        *,
        siblings = 'sibling_group'
        or ethnicity in ('mixed', 'asian', 'black', 'other') as is_harder_to_place,
        siblings = 'unknown'
        or ethnicity in ('not_stated', 'unknown')
        or months_old is null as is_not_known
    from child

)

select
    sender_code,
    quarter,
    child_pseudonym,
    case
        when months_old is null then 'unknown'
        when months_old < 12 then 'under_1'
        when months_old < 24 then '1'
        when months_old < 36 then '2'
        when months_old < 48 then '3'
        when months_old < 60 then '4'
        when months_old < 120 then '5_to_9'
        else '10_and_over'
    end as age_band,
    coalesce(sex, 'unknown') as sex,
    ethnicity as ethnicity_group,
    siblings as sibling_group,
    needs as additional_needs,
    disability as is_disabled,
    case
        when is_harder_to_place or months_old >= 60 or disability = 'yes' then 'yes'
        when is_not_known or disability = 'unknown' then 'unknown'
        else 'no'
    end as harder_to_place_england,
    case
        when is_harder_to_place or months_old >= 48 or needs = 'yes' then 'yes'
        when is_not_known or needs = 'unknown' then 'unknown'
        else 'no'
    end as harder_to_place_wales,
    coalesce(placement_source, 'unknown') as placement_source,
    coalesce(early_permanence, 'unknown') as early_permanence,
    coalesce(placement_provider, 'unknown') as placement_provider,
    coalesce(is_adopting_together_placement, 'unknown') as adopting_together

from shared
