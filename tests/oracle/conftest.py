"""The pipeline's small world, for the laws that run through it."""

from tests.pipeline.conftest import in_world

__all__ = ["in_world"]
