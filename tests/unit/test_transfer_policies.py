"""Bucket policies and access lists: whom they let in, whatever they hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.transfers.observers.policies import Grantee, grantees, listed

OWN = "123456789012"
OTHER = "444455556666"
ACCOUNT = Grantee("account", OTHER)


def policy(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(principal: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "*", **more}


@pytest.mark.parametrize(
    ("principal", "found"),
    [
        ({"AWS": f"arn:aws:iam::{OTHER}:root"}, (ACCOUNT,)),
        ({"AWS": OTHER}, (ACCOUNT,)),
        ({"AWS": [f"arn:aws:iam::{OTHER}:role/x", f"arn:aws:sts::{OTHER}:assumed-role/x/y"]}, (ACCOUNT,)),
        ({"AWS": f"arn:aws-cn:iam::{OTHER}:user/x"}, (ACCOUNT,)),
        ({"AWS": f"arn:aws:iam::{OWN}:root"}, ()),
        ({"AWS": OWN}, ()),
        ({"Service": "logging.s3.amazonaws.com"}, ()),
        ("*", (Grantee("public"),)),
        ({"AWS": "*"}, (Grantee("public"),)),
        ({"AWS": ["*", OTHER]}, (Grantee("public"), ACCOUNT)),
        ({"CanonicalUser": "abc"}, (Grantee("unread", "a principal of type CanonicalUser"),)),
        ({"Federated": "x"}, (Grantee("unread", "a principal of type Federated"),)),
        ({"AWS": "AIDAEXAMPLE"}, (Grantee("unread", "a principal of type AWS"),)),
        ({"AWS": 7}, (Grantee("unread", "a principal of type AWS"),)),
        (None, (Grantee("unread", "a principal of type other"),)),
    ],
)
def test_principals(principal: Any, found: tuple[Grantee, ...]) -> None:
    assert grantees(policy(allow(principal)), OWN) == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"StringEquals": {"aws:PrincipalAccount": OTHER}}, (ACCOUNT,)),
        ({"StringEquals": {"s3:DataAccessPointAccount": [OWN, OTHER]}}, (ACCOUNT,)),
        ({"StringEquals": {"s3:DataAccessPointAccount": OWN}}, ()),
        ({"StringEquals": {"aws:PrincipalAccount": "1234*"}}, (Grantee("unread", "anybody under a condition"),)),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, (Grantee("unread", "anybody under a condition"),)),
        ({"Bool": {"aws:SecureTransport": "true"}}, (Grantee("public"),)),
        (
            {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}},
            (Grantee("unread", "anybody under a condition"),),
        ),
        ({"StringEquals": "?"}, (Grantee("unread", "anybody under a condition"),)),
        ({"StringNotEquals": {"aws:PrincipalAccount": OWN}}, (Grantee("unread", "anybody under a condition"),)),
        ({}, (Grantee("public"),)),
    ],
)
def test_anybody_under_a_condition_is_whom_the_condition_names(condition: Any, found: tuple[Grantee, ...]) -> None:
    assert grantees(policy(allow("*", Condition=condition)), OWN) == found


def test_a_denial_lets_nobody_in_and_not_principal_lets_everybody_in() -> None:
    assert grantees(policy({"Effect": "Deny", "Principal": "*", "Action": "*"}), OWN) == ()
    assert grantees(policy({"Effect": "Allow", "NotPrincipal": {"AWS": OTHER}}), OWN) == (Grantee("public"),)


@pytest.mark.parametrize("text", ["{", "[]", "7", '{"Statement": 3}', '{"Statement": ["x"]}', "[" * 5000])
def test_a_policy_that_cannot_be_read_is_somebody_unknown(text: str) -> None:
    assert [g.kind for g in grantees(text, OWN)] == ["unread"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["*", OTHER, "Allow", "AWS"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Statement", "Effect", "Principal", "AWS", "Condition", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_policy_breaks_the_reader_and_none_is_quoted(value: Any) -> None:
    marked = json.dumps({"Statement": [{"Effect": "Allow", "Principal": value, "Sid": "sEcReT", "Condition": value}]})
    for text in (json.dumps(value), marked):
        for grantee in grantees(text, OWN):
            assert "sEcReT" not in grantee.who
            assert grantee.kind != "account" or (grantee.who.isdigit() and len(grantee.who) == 12)


@given(st.lists(JSON, max_size=3))
def test_no_access_list_breaks_the_reader(grants: list[Any]) -> None:
    assert all(isinstance(grantee, Grantee) for grantee in listed(grants, "me"))


def test_an_access_list_beyond_its_owner() -> None:
    everybody = {"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}}
    logs = {"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}}
    me, other = {"Grantee": {"ID": "me"}}, {"Grantee": {"ID": "other"}}

    assert listed([me, logs], "me") == ()
    assert listed([me, everybody, other], "me") == (
        Grantee("public"), Grantee("unread", "another owner in the access list"),
    )  # fmt: skip
