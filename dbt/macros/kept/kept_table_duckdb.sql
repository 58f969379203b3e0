{#- On DuckDB nobody reads while it is built: a table made anew, of the contract's types. -#}
{% materialization kept_table, adapter='duckdb' %}
    {%- set described, selected = [], [] -%}
    {%- for column in kept_columns(model) -%}
        {%- do described.append(column.name ~ ' ' ~ column.type ~ (' not null' if column.is_required else '')) -%}
        {%- do selected.append('cast(fresh.' ~ column.name ~ ' as ' ~ column.type ~ ')') -%}
    {%- endfor -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('make') -%}
        create or replace table {{ this }} ({{ described | join(', ') }})
    {%- endcall %}
    {% call statement('main') -%}
        insert into {{ this }} select {{ selected | join(', ') }} from (
            {{ sql }}
        ) as fresh
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}
