"""Settings from the environment: what is wrong is said by the name of its variable."""

from __future__ import annotations

from pathlib import Path

import pytest
from privacy_ops.errors import ConfigError
from privacy_ops.settings import from_environment


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
