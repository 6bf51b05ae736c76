{# Whole seconds from one instant to another; null while either has not come. #}
{% macro seconds_between(from_at, to_at) -%}
    date_sub('second', {{ from_at }}, {{ to_at }})
{%- endmacro %}
