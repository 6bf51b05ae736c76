{% test grain(model, columns) %}
-- The stated grain is the grain: no two rows agree in all of its columns.
select {{ columns | join(', ') }}, count(*) as rows_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
