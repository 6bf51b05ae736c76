{#
  An incremental mart forgets what changed and appends it anew: delete and insert by a scope of
  its own rather than by the new rows' keys, so that what is no longer there goes as well.
  The scope is config.meta.follows: a model that lists the keys that changed. Renders nothing
  for a table, or when the mart is built from the beginning.
#}
{% macro forget() -%}
    {%- set follows = model.config.meta.get('follows') -%}
    {%- if follows and is_incremental() -%}
        {%- set keys = follows['keys'] | join(', ') -%}
        delete from {{ this }} where ({{ keys }}) in (select {{ keys }} from {{ ref(follows['changed']) }})
    {%- endif -%}
{%- endmacro %}
