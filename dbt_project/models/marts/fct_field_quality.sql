-- How good a return is, field by field: how often what should be there is, and what was found wrong
-- with it. Beside it stands the same of the whole nation, to compare with.
with

wrong as (

    select
        sender_code,
        quarter,
        return_name,
        field,
        -- What a cell itself shows; every other rule compares it with something.
        sum(case
            when code in ('DATE', 'NUMBER', 'CODE', 'LENGTH', 'PATTERN', 'RANGE', 'FUTURE') then problems
            else 0
        end) as cells_not_valid,
        sum(case
            when code in (
                'DATE', 'NUMBER', 'CODE', 'LENGTH', 'PATTERN', 'RANGE', 'FUTURE', 'REQUIRED', 'BLANK'
            ) then 0
            else problems
        end) as cells_in_doubt
    from {{ ref('fct_problem') }}
    where is_in_force
    group by sender_code, quarter, return_name, field

),

placed as (

    select
        counted.sender_code,
        counted.quarter,
        counted.return_name,
        counted.field,
        place.nation_code,
        counted.rows_expected,
        counted.rows_given
    from {{ ref('int_field_given') }} as counted
    inner join {{ ref('dim_place') }} as place
        on counted.sender_code = place.place_code

),

nation as (

    select
        nation_code,
        quarter,
        return_name,
        field,
        sum(rows_expected) as rows_expected,
        sum(rows_given) as rows_given
    from placed
    group by nation_code, quarter, return_name, field

)

select
    placed.sender_code,
    placed.quarter,
    placed.return_name,
    placed.field,
    cast(placed.rows_expected as bigint) as rows_expected,
    cast(placed.rows_given as bigint) as rows_given,
    cast(100.0 * placed.rows_given / placed.rows_expected as double) as percent_given,
    cast(nation.rows_expected as bigint) as nation_rows_expected,
    cast(nation.rows_given as bigint) as nation_rows_given,
    cast(100.0 * nation.rows_given / nation.rows_expected as double) as nation_percent_given,
    cast(coalesce(wrong.cells_not_valid, 0) as bigint) as cells_not_valid,
    cast(coalesce(wrong.cells_in_doubt, 0) as bigint) as cells_in_doubt,
    reported.is_late
from placed
inner join nation
    on placed.nation_code = nation.nation_code
    and placed.quarter = nation.quarter
    and placed.return_name = nation.return_name
    and placed.field = nation.field
left join wrong
    on placed.sender_code = wrong.sender_code
    and placed.quarter = wrong.quarter
    and placed.return_name = wrong.return_name
    and placed.field = wrong.field
left join {{ ref('fct_return') }} as reported
    on placed.sender_code = reported.sender_code
    and placed.quarter = reported.quarter
    and placed.return_name = reported.return_name
