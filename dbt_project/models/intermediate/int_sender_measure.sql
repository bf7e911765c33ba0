-- The measures of each accepted return, one row each. A nil return, and a return whose rows do not
-- touch a measure, gives zero; a return that was not accepted gives no row at all.
{%- set subjects = {
    'child': ref('int_child_measures'),
    'adopter': ref('int_adopter_measures'),
    'support': ref('int_support_measures'),
} %}
with

accepted as (

    select
        sender_code,
        return_name as subject,
        quarter
    from {{ ref('int_return') }}
    where is_due and is_accepted

),
{%- for subject, relation in subjects.items() %}
{%- set measures = measure_columns(relation) %}

{{ subject }}_sum as (

    select
        sender_code,
        quarter
        {%- for measure in measures %},
        cast(sum({{ measure }}) as bigint) as {{ measure }}
        {%- endfor %}
    from {{ relation }}
    group by sender_code, quarter

),

{{ subject }}_long as (
    {%- for measure in measures %}

    select
        accepted.sender_code,
        accepted.quarter,
        accepted.subject,
        '{{ measure }}' as measure,
        coalesce(summed.{{ measure }}, 0) as amount
    from accepted
    left join {{ subject }}_sum as summed
        on accepted.sender_code = summed.sender_code and accepted.quarter = summed.quarter
    where accepted.subject = '{{ subject }}'
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- else %}
    {#- Only while parsing, when the columns are not known yet. #}

    select sender_code, quarter, subject, '' as measure, cast(0 as bigint) as amount
    from accepted
    {%- endfor %}

){{ ',' if not loop.last }}
{%- endfor %}

{% for subject in subjects %}
select sender_code, quarter, subject, measure, amount from {{ subject }}_long
{{ 'union all' if not loop.last }}
{%- endfor %}
