{# Whole minor units as an amount in units of the currency, exactly: no division, no float. #}
{% macro minor_to_amount(minor, exponent) -%}
    cast({{ minor }} * case {{ exponent }} when 0 then 1.000 when 2 then 0.010 when 3 then 0.001 end as decimal(18, 3))
{%- endmacro %}
