-- A number for each place, basis and subject with returns due: the wide tables are summed by it, which
-- takes half the time of summing by three texts.
with

due as (

    select distinct
        tree.place_code,
        tree.membership_basis,
        due.return_name as subject
    from {{ ref('stg_return_due') }} as due
    inner join {{ ref('int_place_tree') }} as tree
        on due.sender_code = tree.sender_code and due.quarter = tree.quarter

)

select
    cast(
        row_number() over (order by due.place_code, due.membership_basis, due.subject) as integer
    ) as series_id,
    due.place_code,
    due.membership_basis,
    due.subject,
    place.nation_code
from due
inner join {{ ref('stg_place') }} as place on due.place_code = place.place_code
