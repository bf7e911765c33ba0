-- A problem of a whole file or of a whole row names no return or no field: '' keeps the key whole.
select
    problem.submission_id,
    problem.sender_code,
    problem.quarter,
    coalesce(problem.return_name, '') as return_name,
    coalesce(problem.field, '') as field,
    problem.code,
    problem.severity,
    submission.is_in_force,
    count(*) as problems
from {{ ref('stg_problem') }} as problem
inner join {{ ref('stg_submission') }} as submission
    on problem.submission_id = submission.submission_id
group by
    problem.submission_id,
    problem.sender_code,
    problem.quarter,
    coalesce(problem.return_name, ''),
    coalesce(problem.field, ''),
    problem.code,
    problem.severity,
    submission.is_in_force
