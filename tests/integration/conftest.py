"""Fixtures that several integration tests share."""

from tests.integration.press_fixtures import migrated_press, press, press_template, town

__all__ = ["migrated_press", "press", "press_template", "town"]
