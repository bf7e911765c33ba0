{# `number` to `places` decimals, halves away from zero for positive numbers: engines round halves differently. #}
{% macro round_half_up(number, places) -%}
    floor({{ number }} * power(10, {{ places }}) + 0.5) / power(10, {{ places }})
{%- endmacro %}
