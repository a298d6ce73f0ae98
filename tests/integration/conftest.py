"""Fixtures that several integration tests share."""

from tests.integration.press_fixtures import migrated_press, press, press_template, town
from tests.integration.usage_fixtures import dsn, template, ws

__all__ = ["dsn", "migrated_press", "press", "press_template", "template", "town", "ws"]
