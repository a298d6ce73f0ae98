"""Settings from the environment: what is wrong is said by the name of its variable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from privacy_ops import settings
from privacy_ops.errors import ConfigError
from privacy_ops.settings import from_environment

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("variable", ["PRIVACY_OPS_SIGNING_KEY_FILE", "PRIVACY_OPS_TRUSTED_KEYS_FILE"])
def test_a_key_file_that_is_not_there_is_named(variable: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"key file cannot be read .* Where: {variable}=.*absent\.pem.*What to do"):
        from_environment({variable: str(tmp_path / "absent.pem")})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "HMAC keys cannot be read"),
        ('{"ledger": {"current": "k1", "keys": {"k1": "xyz"}}}', "HMAC keys cannot be read"),
        ('{"ledger": {"current": "k1", "keys": {"k1": "abcd"}}}', "shorter than 32 bytes"),
    ],
)
def test_keys_that_cannot_serve_are_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        from_environment({"PRIVACY_OPS_HMAC_KEYS": text})
    assert "abcd" not in str(caught.value)


def test_a_duty_without_an_address_is_named() -> None:
    with pytest.raises(ConfigError, match="PRIVACY_OPS_DSN_ERASE"):
        from_environment({}).dsn("erase")


def test_the_example_names_every_setting_that_is_read_and_every_variable_of_the_compose_file() -> None:
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    read = set(re.findall(r"PRIVACY_OPS_[A-Z0-9_]*[A-Z0-9]", Path(settings.__file__).read_text(encoding="utf-8")))
    assert {"PRIVACY_OPS_REVIEWERS", "PRIVACY_OPS_ANSWER_URL", "PRIVACY_OPS_HMAC_KEYS"} <= read
    assert {name for name in read if not re.search(rf"\b{name}\b", example)} == {"PRIVACY_OPS_DSN"}  # one per duty
    compose = (PROJECT / "docker-compose.yaml").read_text(encoding="utf-8")
    composed = set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", compose))
    assert composed - set(re.findall(r"(?m)^([A-Z0-9_]+)=", example)) == set()
