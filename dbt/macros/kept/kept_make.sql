{#- Columns of a model by its contract, in the order of its YAML: name, type, whether it may be null. -#}
{% macro kept_columns(model) -%}
    {%- if not model.config.contract.enforced -%}
        {%- do exceptions.raise_compiler_error('A kept_table needs a contract: set contract.enforced and a data_type for each column in its YAML.') -%}
    {%- endif -%}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- set is_required = column.constraints | selectattr('type', 'equalto', 'not_null') | list | length > 0 -%}
        {%- do columns.append({'name': column.name, 'type': column.data_type, 'is_required': is_required}) -%}
    {%- endfor -%}
    {{- return(columns) -}}
{%- endmacro %}

{#- Makes the table and its indexes where they are missing; brings columns to the contract. True where the rows must be computed anew for it. -#}
{% macro kept_make(relation, columns, keys, indexes) -%}
    {%- set described = [] -%}
    {%- for column in columns -%}
        {%- do described.append(column.name ~ ' ' ~ column.type ~ (' not null' if column.is_required else '')) -%}
    {%- endfor -%}
    {%- do described.append('kept_by bigint') -%}
    {%- set stored = kept_stored_columns(relation) -%}
    {%- if not stored -%}
        {%- do run_query('create table ' ~ relation ~ ' (' ~ (described | join(', ')) ~ ')') -%}
        {%- set stored = kept_stored_columns(relation) -%}
    {%- endif -%}

    {%- set steps = [] -%}
    {%- for column in columns -%}
        {%- if column.name not in stored -%}
            {%- do steps.append('add column ' ~ column.name ~ ' ' ~ column.type) -%}
        {%- elif stored[column.name] != column.type -%}
            {%- do steps.append('alter column ' ~ column.name ~ ' type ' ~ column.type ~ ' using ' ~ column.name ~ '::' ~ column.type) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set names = columns | map(attribute='name') | list -%}
    {%- if 'kept_by' not in stored -%}
        {%- do steps.append('add column kept_by bigint') -%}
    {%- endif -%}
    {%- for name in stored if name not in names + ['kept_by'] -%}
        {%- do steps.append('drop column ' ~ name) -%}
    {%- endfor -%}
    {%- if steps -%}
        {%- do log('kept_table ' ~ relation ~ ': ' ~ (steps | join(', ')), info=true) -%}
        {%- do run_query('alter table ' ~ relation ~ ' ' ~ (steps | join(', '))) -%}
        {%- set stored = kept_stored_columns(relation) -%}
        {%- for column in columns if stored[column.name] != column.type -%}
            {%- do exceptions.raise_compiler_error(
                'Column ' ~ column.name ~ ': PostgreSQL calls the type ' ~ column.type ~ ' ' ~ stored[column.name] ~ '; write it so in the YAML.'
            ) -%}
        {%- endfor -%}
    {%- endif -%}

    {%- set is_indexed = keys in (indexes | map(attribute='columns') | list) -%}
    {%- set of_keys = [{'columns': keys, 'unique': false}] if kept_plain(keys) and not is_indexed else [] -%}
    {%- set index_names = run_query(
        "select c.relname from pg_index i inner join pg_class c on c.oid = i.indexrelid where i.indrelid = '" ~ relation ~ "'::regclass"
    ).columns[0].values() | list -%}
    {%- for index in of_keys + indexes + [{'columns': ['kept_by'], 'unique': false}] -%}
        {%- set kind = 'unique ' if index.unique else '' -%}
        {%- set name = relation.identifier ~ '_' ~ local_md5(kind ~ (index.columns | join(',')))[:8] -%}
        {%- if name not in index_names -%}
            {%- do run_query('create ' ~ kind ~ 'index ' ~ name ~ ' on ' ~ relation ~ ' (' ~ (index.columns | join(', ')) ~ ')') -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(steps | length > 0) -}}
{%- endmacro %}

{#- Whether all are bare columns, for which an index is of use. -#}
{% macro kept_plain(keys) -%}
    {{- return('{}' not in (keys | join(' '))) -}}
{%- endmacro %}

{#- The table's columns as it has them: name -> type; none where it is not there. -#}
{% macro kept_stored_columns(relation) -%}
    {%- set stored = {} -%}
    {%- for row in run_query(
        "select attname, format_type(atttypid, atttypmod) as type from pg_attribute"
        ~ " where attrelid = to_regclass('" ~ relation ~ "') and attnum > 0 and not attisdropped order by attnum"
    ).rows -%}
        {%- do stored.update({row['attname']: row['type']}) -%}
    {%- endfor -%}
    {{- return(stored) -}}
{%- endmacro %}
