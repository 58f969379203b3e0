"""The rule that marketing's course has people write; docs/training/marketing.md says the same in words."""

from typing import Final

from custom_events.catalog.configurations import read_config

KEY: Final = "training_vip"
SENTENCE: Final = "Every paid order of 200 EUR and more counts, with half of its value."
RULE: Final = read_config(
    {
        "trigger": ["order.paid"],
        "conditions": {"field": "order.total", "op": ">=", "value": "200.00", "currency": "EUR"},
        "value": {"factor": "0.5"},
    }
)
