"""The store platforms, by name: each word of `values.platforms.Platform` has a folder of its name beside this file.

A new one is that folder and that line. Its `platform.py` holds an object PLATFORM, a `StorePlatform`: all that differs from platform to platform
is asked of it, by the receiver, the pipeline, the catalog and the command line. Fields of conditions are taken to come from every
platform but those that `conditions/fields.py` excludes.
"""

from importlib import import_module

from custom_events.platforms.base import StorePlatform
from custom_events.values.platforms import Platform


def _platform(name: Platform) -> StorePlatform:
    store_platform: StorePlatform = import_module(f"{__package__}.{name.value}.platform").PLATFORM
    return store_platform


PLATFORMS: dict[Platform, StorePlatform] = {name: _platform(name) for name in Platform}
