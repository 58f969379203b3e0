{#
  Gives the role custom_events_analyst the right to read the marts, and nothing else of ours; makes it where this login may (else somebody
  who may does: docs/how-to/query-the-marts.md). Kept tables keep what was granted, so this changes something only where a mart is new.
#}
{% macro read_by_analysts() -%}
    {%- if execute and target.type == 'postgres' -%}
        {%- set marts = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.fqn[1] == 'marts' -%}
            {%- do marts.append("'" ~ node.schema ~ '.' ~ node.name ~ "'") -%}
        {%- endfor -%}
        do $$
        declare
            mart regclass;
        begin
            if not exists (select from pg_roles where rolname = 'custom_events_analyst') then
                if not (select rolcreaterole or rolsuper from pg_roles where rolname = current_user) then
                    return;
                end if;
                begin
                    create role custom_events_analyst nologin;
                exception when duplicate_object or unique_violation then
                    null;  -- a build of another database of this server was faster
                end;
            end if;
            if not has_schema_privilege('custom_events_analyst', '{{ target.schema }}', 'usage') then
                grant usage on schema {{ target.schema }} to custom_events_analyst;
            end if;
            for mart in select to_regclass(name) from unnest(array[{{ marts | join(', ') }}]) as name where to_regclass(name) is not null loop
                if not has_table_privilege('custom_events_analyst', mart, 'select') then
                    execute format('grant select on %s to custom_events_analyst', mart);
                end if;
            end loop;
        end
        $$
    {%- endif -%}
{%- endmacro %}
