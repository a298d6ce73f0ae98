"""The parser of our configuration files: libyaml's where PyYAML was built with it, five times as fast as its own."""

from __future__ import annotations

from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # built without libyaml: the same files mean the same
    from yaml import SafeLoader  # type: ignore[assignment]

__all__ = ["SafeLoader", "load"]


def load(text: str) -> Any:
    """What a YAML document says. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=SafeLoader)
