-- Every measure in every place, quarter by quarter: the sums of its senders by the membership of the
-- basis.
select
    series.series_id,
    measured.quarter,
    measured.part_id,
    measured.measure_number,
    cast(sum(measured.amount) as bigint) as amount
from {{ ref('int_sender_measure') }} as measured
inner join {{ ref('int_place_tree') }} as tree
    on measured.sender_code = tree.sender_code and measured.quarter = tree.quarter
inner join {{ ref('int_series') }} as series
    on tree.place_code = series.place_code
    and tree.membership_basis = series.membership_basis
    and measured.subject = series.subject
group by series.series_id, measured.quarter, measured.part_id, measured.measure_number
