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

{# True when `day` is `months` calendar months or more after `start`. #}
{% macro at_least_months_after(day, start, months) -%}
    {{ day }} >= {{ add_months(start, months) }}
{%- endmacro %}
