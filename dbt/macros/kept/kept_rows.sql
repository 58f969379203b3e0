{#- Makes a temporary table of what a query gives; how many rows it has. `analyzed`: columns of which the planner learns what is in them, as a list in
    parentheses; empty: of all. -#}
{% macro kept_temporary(name, query, analyzed='') -%}
    {% call statement(name) -%} create temporary table {{ name }} on commit drop as {{ query }} {%- endcall %}
    {% call statement() -%} analyze {{ name }} {{ analyzed }} {%- endcall %}
    {{- return(load_result(name)['response'].rows_affected) -}}
{%- endmacro %}

{#- Writes down the keys that may have changed, as temporary table kept_changed (k1, k2 ..., then named columns); how many. -#}
{% macro kept_note_changed(block, keys, state) -%}
    {%- set names = [] -%}
    {%- for key in keys -%} {%- do names.append('k' ~ loop.index) -%} {%- endfor -%}
    {%- if block.noticed is not none -%}
        {%- do kept_temporary('kept_noticed', kept_since(block.noticed, state)) -%}
    {%- endif -%}
    {{- return(kept_temporary(
        'kept_changed',
        'select distinct * from (' ~ kept_since(block.query, state) ~ ') as changed (' ~ ((names + block.names) | join(', ')) ~ ')'
    )) -}}
{%- endmacro %}

{#- A query of these blocks with the numbers of transactions since the last build in it. -#}
{% macro kept_since(query, state) -%}
    {{- return(query | replace('@kept_age@', state.age) | replace('@kept_mark@', state.read_until) | replace('@kept_now@', state.current)) -}}
{%- endmacro %}

{#- Computes the rows as they are now, as temporary table kept_fresh, by the contract's types. -#}
{% macro kept_compute(text, columns, keys) -%}
    {%- set selected = [] -%}
    {%- for column in columns -%}
        {%- do selected.append('cast(fresh.' ~ column.name ~ ' as ' ~ column.type ~ ') as ' ~ column.name) -%}
    {%- endfor -%}
    {%- set joined = '(' ~ (keys | join(', ')) ~ ')' if kept_plain(keys) else '' -%}
    {%- do kept_temporary('kept_fresh', 'select ' ~ (selected | join(', ')) ~ ' from (' ~ text ~ ') as fresh', joined) -%}
{%- endmacro %}

{#- Computes which rows of the table are not among them any more, as kept_gone (their place), and which of them are new, as kept_new; how many
    of each. Nobody else writes the table meanwhile (the lock), so that a row's place stays its own. -#}
{% macro kept_compare(relation, columns, keys, is_keyed) -%}
    {%- set same = kept_same_key('kept', 'fresh', keys) ~ ' and ' ~ kept_same_row('kept', 'fresh', columns) -%}
    {%- set gone = kept_temporary(
        'kept_gone',
        'select kept.ctid as place from ' ~ relation ~ ' as kept where '
        ~ (kept_within('kept', keys) if is_keyed else 'true') ~ ' and not exists (select from kept_fresh as fresh where ' ~ same ~ ')'
    ) -%}
    {% call statement('kept_new') -%}
        create temporary table kept_new on commit drop as
        select fresh.* from kept_fresh as fresh where not exists (select from {{ relation }} as kept where {{ same }})
    {%- endcall %}
    {{- return({'gone': gone, 'new': load_result('kept_new')['response'].rows_affected}) -}}
{%- endmacro %}

{#- Deletes what is gone, and leaves word of keys that no new row shows. -#}
{% macro kept_remove(relation, columns, tells) -%}
    {%- set site = 'kept.site_id' if 'site_id' in (columns | map(attribute='name')) else 'null::bigint' -%}
    {%- for what, key in tells.items() -%}
        {%- do run_query(
            'insert into ' ~ relation.schema ~ '.kept_departures (model, what, site_id, key, left_at) select \''
            ~ relation.identifier ~ '\', \'' ~ what ~ '\', site_id, key, now() from (select ' ~ site ~ ' as site_id, ('
            ~ kept_key_of('kept', key) ~ ')::text as key from ' ~ relation ~ ' as kept inner join kept_gone on kept_gone.place = kept.ctid except select '
            ~ site ~ ', (' ~ kept_key_of('kept', key) ~ ')::text from kept_new as kept) as departed where key is not null'
        ) -%}
    {%- endfor -%}
    {%- do run_query('delete from ' ~ relation ~ ' as kept using kept_gone where kept.ctid = kept_gone.place') -%}
{%- endmacro %}

{#- Adds rows, with the number of the transaction that does (kept_by), by which other models find them. -#}
{% macro kept_insert(relation, columns, source, state) -%}
    {%- set names = columns | map(attribute='name') | join(', ') -%}
    insert into {{ relation }} ({{ names }}, kept_by) select {{ names }}, {{ state.current }} from {{ source }} as fresh
{%- endmacro %}

{#- A key's expression over the columns of one of two relations that have the same: `{}` stands for the alias, else it is a bare column. -#}
{% macro kept_key_of(alias, key) -%}
    {{- return(key | replace('{}', alias) if '{}' in key else alias ~ '.' ~ key) -}}
{%- endmacro %}

{% macro kept_within(alias, keys) -%}
    {%- set same = [] -%}
    {%- for key in keys -%} {%- do same.append('kept_changed.k' ~ loop.index ~ ' = ' ~ kept_key_of(alias, key)) -%} {%- endfor -%}
    {{- return('exists (select from kept_changed where ' ~ (same | join(' and ')) ~ ')') -}}
{%- endmacro %}

{% macro kept_same_key(left, right, keys) -%}
    {%- set same = [] -%}
    {%- for key in keys -%} {%- do same.append(kept_key_of(left, key) ~ ' = ' ~ kept_key_of(right, key)) -%} {%- endfor -%}
    {{- return(same | join(' and ')) -}}
{%- endmacro %}

{#- Columns that are never null by `=`: a join is hashed by them, so that many rows of one key are not compared with each other. -#}
{% macro kept_same_row(left, right, columns) -%}
    {%- set same, lefts, rights = [], [], [] -%}
    {%- for column in columns -%}
        {%- if column.is_required -%}
            {%- do same.append(left ~ '.' ~ column.name ~ ' = ' ~ right ~ '.' ~ column.name) -%}
        {%- else -%}
            {%- do lefts.append(left ~ '.' ~ column.name) -%}
            {%- do rights.append(right ~ '.' ~ column.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if lefts -%}
        {%- do same.append('(' ~ (lefts | join(', ')) ~ ') is not distinct from (' ~ (rights | join(', ')) ~ ')') -%}
    {%- endif -%}
    {{- return(same | join(' and ')) -}}
{%- endmacro %}
