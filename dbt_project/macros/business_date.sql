{# The calendar date an instant has in a time zone; kernel.clock.business_date is its twin. #}
{% macro business_date(at, time_zone) -%}
    cast(timezone({{ time_zone }}, {{ at }}) as date)
{%- endmacro %}
