{#-
  The text at a path of a JSON column, null where there is none. Only for keys that our own code names and that stand once: with free keys
  (empty, doubled, with a slash or a dollar sign) engines differ, and no amount is ever read this way (docs/decisions/0051).
-#}
{% macro json_text(column, path) -%}
    {%- set steps = namespace(sql=column) -%}
    {%- for key in path[:-1] -%}
        {%- set steps.sql = '(' ~ steps.sql ~ " -> '" ~ key ~ "')" -%}
    {%- endfor -%}
    ({{ steps.sql }} ->> '{{ path[-1] }}')
{%- endmacro %}

{#- A text to order by or to take the least of: byte by byte, whatever language the database was made for. -#}
{% macro by_bytes(text) -%}
    {{ return(adapter.dispatch('by_bytes', 'custom_events')(text)) }}
{%- endmacro %}

{% macro default__by_bytes(text) -%}
    ({{ text }} collate "C")
{%- endmacro %}

{% macro duckdb__by_bytes(text) -%}
    {{ text }}
{%- endmacro %}
