{# What a child's row says about where the child stands on a day. One place for the rules of waiting:
   measures, early warning and journeys must not differ in who waits. The macros name the fields of
   the child return; `last_day` is the day looked at. #}

{# Day of the placement order. The field stands for the order or for the consent; an unknown kind is
   taken as an order. #}
{% macro ordered_on() -%}
    case when coalesce(authority_to_place, 'placement_order') <> 'consent'
        then placement_order_on
    end
{%- endmacro %}

{# True when the plan has ended, unless a later decision began a new one. #}
{% macro is_plan_ended() -%}
    coalesce(
        plan_ended_on <= last_day
        and not coalesce(should_be_placed_decision_on > plan_ended_on, false),
        false
    )
{%- endmacro %}

{# True when the referral was withdrawn, unless a later referral or decision took the plan up again. #}
{% macro is_referral_withdrawn() -%}
    coalesce(
        referral_withdrawn_on <= last_day
        and not coalesce(should_be_placed_decision_on > referral_withdrawn_on, false)
        and not coalesce(referred_on > referral_withdrawn_on, false),
        false
    )
{%- endmacro %}

{# True when nobody waits any more: adopted, plan ended or referral withdrawn. #}
{% macro is_plan_over() -%}
    coalesce(adoption_order_on <= last_day, false)
    or {{ is_plan_ended() }}
    or {{ is_referral_withdrawn() }}
{%- endmacro %}

{# True when the child lives with adopters. A disruption on or after the placement reported ended it;
   one before it was of another family. #}
{% macro is_in_placement() -%}
    coalesce(placed_on <= last_day, false)
    and not coalesce(disrupted_on <= last_day and disrupted_on >= placed_on, false)
{%- endmacro %}

{# True when the child has a match. A match on the very day of a disruption is a new one, unless the
   child was placed on it, too. #}
{% macro is_in_match() -%}
    coalesce(matched_on <= last_day, false)
    and not coalesce(
        disrupted_on <= last_day
        and (
            disrupted_on > matched_on
            or (disrupted_on = matched_on and coalesce(placed_on = matched_on, false))
        ),
        false
    )
{%- endmacro %}
