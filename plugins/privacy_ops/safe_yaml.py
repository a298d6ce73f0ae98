"""The parser of our configuration files: libyaml's where PyYAML was built with it, five times as fast as its own."""

from __future__ import annotations

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # built without libyaml: the same files mean the same
    from yaml import SafeLoader  # type: ignore[assignment]

__all__ = ["SafeLoader"]
