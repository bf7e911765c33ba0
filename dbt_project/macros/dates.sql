{# Date arithmetic lives here: it is where engines differ most. #}

{# The same day `months` later, or the last day of a shorter month: 31 August + 6 is 28 or 29 February. #}
{% macro add_months(day, months) -%}
    cast({{ day }} + interval '{{ months }}' month as date)
{%- endmacro %}

{# Whole days from `start` to `stop`; negative when `stop` comes first. #}
{% macro days_between(start, stop) -%}
    {{ dbt.datediff(start, stop, 'day') }}
{%- endmacro %}

{# True when the day lies in the quarter of the row. #}
{% macro in_quarter(day) -%}
    {{ day }} between first_day and last_day
{%- endmacro %}

{# True when `day` is more than `months` calendar months after `start`: exactly that many is not more. #}
{% macro more_than_months_after(day, start, months) -%}
    {{ day }} > {{ add_months(start, months) }}
{%- endmacro %}

{# `days` days later. #}
{% macro add_days(day, days) -%}
    cast({{ day }} + interval '{{ days }}' day as date)
{%- endmacro %}

{# The last of `weeks` times five working days (Monday to Friday) after `day`: the same weekday
   `weeks` weeks later; after a Saturday or Sunday the Friday of the last of these weeks. Counted
   from 1 January 1900, a Monday. Bank holidays are not known. #}
{% macro add_working_weeks(day, weeks) -%}
    case {{ days_between("cast('1900-01-01' as date)", day) }} % 7
        when 5 then {{ add_days(day, 7 * weeks - 1) }}
        when 6 then {{ add_days(day, 7 * weeks - 2) }}
        else {{ add_days(day, 7 * weeks) }}
    end
{%- endmacro %}

{# True when `day` is `months` calendar months or more after `start`. #}
{% macro at_least_months_after(day, start, months) -%}
    {{ day }} >= {{ add_months(start, months) }}
{%- endmacro %}
