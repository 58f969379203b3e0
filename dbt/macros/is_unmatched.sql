{#- Whether Google took a conversion's call and has no such click (custom_events/values/conversions.py, UNMATCHED_REASONS). -#}
{% macro is_unmatched(relation) -%}
    {{ relation }}.state in ('accepted', 'rejected')
    and {{ relation }}.reason in (
        'ConversionUploadError.CLICK_NOT_FOUND',
        'ConversionUploadError.EVENT_NOT_FOUND',
        'ProcessingErrorReason.CLICK_NOT_FOUND',
        'ProcessingErrorReason.INVALID_CLICK'
    )
{%- endmacro %}
