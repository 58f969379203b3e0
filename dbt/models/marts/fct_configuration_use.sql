-- Small: one row for each assignment, of the daily figures. So it is computed whole.
{{ config(materialized='kept_table', key=['assignment_id'], indexes=[{'columns': ['assignment_id'], 'unique': true}]) }}

with assignments as (
    select * from {{ ref('dim_assignments') }}
),

published as (
    select
        assignment_id,
        overrides
    from {{ ref('stg_app__assignment_revisions') }}
    where state = 'published'
),

matches as (
    select
        assignment_id,
        {{ sum_of_counts('matches') }} as matches,
        {{ sum_of_counts('withdrawn') }} as withdrawn,
        {{ sum_of_counts('overlapping') }} as overlapping,
        min(day) as first_day,
        max(day) as last_day
    from {{ ref('fct_assignment_matches_daily') }}
    group by assignment_id
),

final as (
    select
        assignments.assignment_id,
        assignments.site_id,
        assignments.site_name,
        assignments.definition_key,
        assignments.definition_name,
        assignments.assignment_label,
        assignments.is_active,
        case
            when not assignments.is_active then 'switched_off'
            when published.assignment_id is null then 'not_published'
            when matches.assignment_id is null then 'unused'
            else 'used'
        end as usage,
        coalesce(matches.matches, 0) as matches,
        coalesce(matches.withdrawn, 0) as withdrawn,
        coalesce(matches.overlapping, 0) as overlapping,
        matches.first_day,
        matches.last_day,
        {% for setting in var('override_settings') %}
        coalesce((published.overrides -> '{{ setting }}') is not null, false) as overrides_{{ setting }}{% if not loop.last %},{% endif %}

        {%- endfor %}
    from assignments
    left join published on published.assignment_id = assignments.assignment_id
    left join matches on matches.assignment_id = assignments.assignment_id
)

select * from final
