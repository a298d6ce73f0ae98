"""The register of institutions: readable, unambiguous, and clear about what is wrong with it."""

from __future__ import annotations

import pytest
from privacy_ops.errors import ConfigError
from privacy_ops.settings import home_directory
from privacy_ops.usage import institutions


def test_the_register_of_the_repository_resolves_the_sandboxs_hospitals():
    from sandbox.publisher import words

    known = {row.spelling: row.institution for row in institutions.load(home_directory() / "include" / "registry")}
    assert set(words.INSTITUTIONS) <= set(known)
    assert "the Vale Clinic (dept)" not in known, "a spelling that nobody listed is not resolved"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("spelling,institution,source\n,Vale Clinic,x\n", "line 2"),
        (
            "spelling,institution,source\nVale,Vale Clinic,x\nVale,Vale Hospital,x\n",
            "line 3: this spelling means another",
        ),
        ("name,institution,source\nVale,Vale Clinic,x\n", "other columns"),
    ],
)
def test_a_wrong_register_says_where(tmp_path, text, says):
    (tmp_path / institutions.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        institutions.load(tmp_path)


def test_several_spellings_may_mean_one_institution(tmp_path):
    text = "spelling,institution,source\nThe Vale,Vale Clinic,x\nVale Clinic,Vale Clinic,x\n"
    (tmp_path / institutions.FILE).write_text(text, encoding="utf-8")
    assert {row.institution for row in institutions.load(tmp_path)} == {"Vale Clinic"}


def test_a_missing_register_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"institutions\.csv"):
        institutions.load(tmp_path)
