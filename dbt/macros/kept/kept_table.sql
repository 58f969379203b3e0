{#
  A table that is made once and kept (docs/decisions/0050-kept-tables.md): a build changes the rows that differ, in one transaction. It never
  drops, renames or truncates, so readers do not wait, and grants, indexes and dependent views stay.

  config(materialized='kept_table', key=[...], indexes=[...], tells={...}); `key`: SQL expressions over the model's columns, never null,
  that name what is computed together (an order, a day of a site; not necessarily one row). Columns and types: the contract in the YAML.
  A model with a block changed_keys() is computed for those keys only; without one, or with --full-refresh, whole.
#}
{% materialization kept_table, adapter='postgres' %}
    {%- set name = this.identifier -%}
    {%- set keys = config.require('key') -%}
    {%- set columns = kept_columns(model) -%}
    {%- set began = modules.datetime.datetime.now() -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {% call statement('kept_lock', auto_begin=True) -%}
        set local lock_timeout = '{{ var('kept_turn_limit_s') }}s';
        select pg_advisory_xact_lock(hashtextextended('kept_table ' || '{{ this.schema }}.{{ name }}', 0));
        set local lock_timeout = '{{ var('kept_lock_limit_s') }}s';
    {%- endcall %}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- set is_altered = kept_make(this, columns, keys, config.get('indexes', [])) -%}
    {%- set definition = local_md5(sql ~ columns ~ keys) -%}
    {%- set state = kept_state(this, definition) -%}
    {%- if is_altered or not state.is_current -%}
        {%- do get_assert_columns_equivalent(sql) -%}
    {%- endif -%}
    {%- set block = kept_changed_block(sql) -%}
    {%- set is_keyed = block is not none and not is_altered and state.is_current and not should_full_refresh() -%}

    {%- set rows = {'gone': 0, 'new': 0} -%}
    {%- set source = none -%}
    {%- if is_keyed and not kept_note_changed(block, keys, state) -%}
        {#- no key changed -#}
    {%- elif not is_keyed and state.is_empty -%}
        {%- set source = '(' ~ sql ~ ')' -%}
    {%- else -%}
        {%- do kept_compute(kept_keyed_sql(sql) if is_keyed else sql, columns, keys) -%}
        {%- set rows = kept_compare(this, columns, keys, is_keyed) -%}
        {%- if rows.gone -%}
            {%- do kept_remove(this, columns, config.get('tells', {})) -%}
        {%- endif -%}
        {%- set source = 'kept_new' if rows.new else none -%}
    {%- endif -%}
    {% call statement('main') -%} {{ kept_insert(this, columns, source, state) if source else 'select 1 where false' }} {%- endcall %}
    {%- set rows_new = load_result('main')['response'].rows_affected -%}

    {%- do kept_finish(this, definition, state, is_keyed, rows_new, rows.gone, began) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do apply_grants(this, config.get('grants'), should_revoke=False) -%}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}
