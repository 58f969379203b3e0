{#- The currency that amounts of several currencies are added up in (CUSTOM_EVENTS_REPORTING_CURRENCY). -#}
{% macro reporting_currency() -%}
    '{{ env_var('CUSTOM_EVENTS_DBT_REPORTING_CURRENCY', 'EUR') }}'
{%- endmacro %}

{#- An amount in that currency, by a row of fct_exchange_rates (its alias in a left join on currency and day); null where none was found. -#}
{% macro in_reporting(amount, currency, rates) -%}
    case
        when {{ currency }} = {{ reporting_currency() }} then round({{ amount }}, 2)
        else round({{ amount }} * {{ rates }}.rate, 2)
    end
{%- endmacro %}

{#- Whether an amount is there that cannot be brought into it. -#}
{% macro lacks_rate(amount, currency, rates) -%}
    ({{ amount }} is not null and {{ currency }} is distinct from {{ reporting_currency() }} and {{ rates }}.rate is null)
{%- endmacro %}

{#- Within changed_keys(): days of which a rate came, went or changed, as text. -#}
{% macro days_of_new_rates() -%}
    (
        select day::text from {{ ref('fct_exchange_rates') }} where {{ is_newly_kept() }}
        union
        select key from {{ left_keys('fct_exchange_rates', 'day') }} as departed
    )
{%- endmacro %}

{#- For how many days after its own a rate holds where no newer one was loaded (CUSTOM_EVENTS_EXCHANGE_RATE_DAYS). -#}
{% macro rate_days() -%}
    {{ env_var('CUSTOM_EVENTS_DBT_EXCHANGE_RATE_DAYS', '7') | int }}
{%- endmacro %}
