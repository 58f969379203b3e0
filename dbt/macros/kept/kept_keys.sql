{#
  What a model of kept_table says about its keys. The compiled text is that of the whole model, in which the rest stands as comments, so that
  it reads, tests and moves to another database as it is; kept_table takes the comments in where it builds only what changed.
#}

{#- One text where the whole model is built, and another where only keys that changed are: `kept_changed` holds those. -#}
{% macro kept_choice(whole, changed) -%}
    /*kept[*/ {{ whole }} /*kept: {{ changed }} kept]*/
{%- endmacro %}

{#- A condition on rows that are read: only those of keys that are being built. Expressions in the order of the model's key; by name for what
    changed_keys() gives beside it. -#}
{% macro only_changed() -%}
    {{ kept_choice('true', only_changed_now(*varargs, **kwargs)) }}
{%- endmacro %}

{#- The same, within what is only read then (kept_choice). -#}
{% macro only_changed_now() -%}
    {%- set same = [] -%}
    {%- for key in varargs -%} {%- do same.append('kept_changed.k' ~ loop.index ~ ' = ' ~ key) -%} {%- endfor -%}
    {%- for name, expression in kwargs.items() -%} {%- do same.append('kept_changed.' ~ name ~ ' = ' ~ expression) -%} {%- endfor -%}
    exists (select from kept_changed where {{ same | join(' and ') }})
{%- endmacro %}

{#- A block at the end of a model: a query (one column for each part of the key, in its order, then the columns that are named here) of what
    may have changed since the last build. Too many are harmless. It may read `this`, tables and views, no ephemeral models. -#}
{% macro changed_keys() -%}
    {%- if target.type == 'postgres' and (not execute or model.config.materialized == 'kept_table') -%}
        /*kept changed: {{ varargs | join(',') }} kept columns: {{ caller() }} kept changed]*/
    {%- endif -%}
{%- endmacro %}

{#- A block before changed_keys(): a query of rows that were written, which the latter then reads as the table kept_noticed. How many those are is
    known by then, so that what is joined to them is found by its index. -#}
{% macro noticed_rows() -%}
    {%- if target.type == 'postgres' and (not execute or model.config.materialized == 'kept_table') -%}
        /*kept noticed: {{ caller() }} kept noticed]*/
    {%- endif -%}
{%- endmacro %}

{#- Within these blocks: whether a row of another kept table was written since the last build, found by its index. `alias`: the table's in the query. -#}
{% macro is_newly_kept(alias='') -%}
    {{ alias ~ '.' if alias }}kept_by between @kept_mark@ and @kept_now@
{%- endmacro %}

{#- The same of rows of other tables. `written_by`: the xmin of a table, or what a view calls it. -#}
{#- Written as an equality, of which the planner expects one row in 200; of a comparison it would expect a third of the table. -#}
{% macro is_new(written_by='xmin') -%}
    (case when age({{ written_by }}) <= @kept_age@ then 1 end) = 1
{%- endmacro %}

{#- Within that block: keys of rows that left another kept table (`tells` of its configuration), as rows of site_id and key. -#}
{% macro left_keys(model_name, what) -%}
    (
        select site_id, key from {{ target.schema }}.kept_departures
        where model = '{{ model_name }}' and what = '{{ what }}' and {{ is_new() }}
    )
{%- endmacro %}

{#- The same block as kept_table reads it: the query, and the names of its columns beside the key. None without one. -#}
{% macro kept_changed_block(text) -%}
    {%- set parts = text.split('/*kept changed:') -%}
    {%- if parts | length == 1 -%} {{- return(none) -}} {%- endif -%}
    {%- set names, query = parts[1].split('kept changed]*/')[0].split(' kept columns:') -%}
    {%- set noticed = text.split('/*kept noticed:') -%}
    {{- return({
        'query': query,
        'names': names.split(',') | map('trim') | reject('equalto', '') | list,
        'noticed': noticed[1].split('kept noticed]*/')[0] if noticed | length > 1 else none,
    }) -}}
{%- endmacro %}

{#- A model's text for the keys that changed. -#}
{% macro kept_keyed_sql(text) -%}
    {%- set pieces = [] -%}
    {%- for piece in text.split('/*kept noticed:')[0].split('/*kept changed:')[0].split('/*kept[*/') -%}
        {%- do pieces.append(piece if loop.first else piece.split('/*kept:', 1)[1] | replace('kept]*/', '')) -%}
    {%- endfor -%}
    {{- return(pieces | join('')) -}}
{%- endmacro %}
