"""Buckets of the object store: where they are, where they are copied to, and who beyond the account may reach them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from privacy_ops.errors import PrivacyOpsError
from privacy_ops.stores.objects import AccessPoint, BucketFacts, BucketSharing, ObjectStore
from privacy_ops.transfers.flows import Nature
from privacy_ops.transfers.observers import policies
from privacy_ops.transfers.observers.base import Note, Observation, ObservedFlow, blind, each
from privacy_ops.transfers.observers.policies import Grantee
from privacy_ops.transfers.reference import Reference
from privacy_ops.transfers.registry import Registry


class BucketObserver:
    """Regions and replication of every bucket that the object store lists, through its own interface.

    ``expected``: buckets that the data map declares; an empty listing beside them is blindness, not news.
    """

    name = "buckets"

    def __init__(
        self, store: ObjectStore, reference: Reference, expected: frozenset[str], registry: Registry | None = None
    ) -> None:
        self._store, self._reference, self._expected, self._registry = store, reference, expected, registry

    def _places(self, bucket: str, facts: BucketFacts | None, place: str) -> list[ObservedFlow]:
        nature: Nature = "STORAGE"
        if facts is None:
            return [ObservedFlow(place, nature, None, "region not told", destination=f"bucket:{bucket}")]
        region = self._reference.region("aws", facts.location)
        detail = region.region if region else f"unknown region {facts.location}"
        countries: Sequence[str | None] = (region.countries if region else ()) or (None,)
        return [ObservedFlow(place, nature, c, detail, destination=f"bucket:{bucket}") for c in countries]

    def _copies(self, name: str, target: str, account: str | None) -> list[ObservedFlow]:
        """Where a copy goes. Another account's bucket may not tell its region; whose it is may be registered."""
        place = f"replication:{name}>{target}"
        try:
            facts = self._store.facts(target)
        except PrivacyOpsError:
            facts = None
        owner = self._registry.host(f"aws-account:{account}") if self._registry and account else None
        if facts is None and owner is not None:
            return [
                ObservedFlow(place, "STORAGE", owner.country, f"account {account}", owner.processor, f"bucket:{target}")
            ]
        return self._places(target, facts, place)

    def observe(self) -> Observation:
        flows: list[ObservedFlow] = []
        try:
            names = self._store.buckets()
            if self._expected and not names:
                return blind(self.name, "no bucket is listed although the data map declares some")
            for name in names:
                facts = self._store.facts(name)
                flows += self._places(name, facts, f"bucket:{name}")
                for target in facts.replication_targets:
                    flows += self._copies(name, target, facts.target_accounts.get(target))
        except PrivacyOpsError as error:
            return blind(self.name, error)
        return Observation(self.name, tuple(flows), looked=True)


def _shown(bucket: str, via: str, grantee: Grantee, registry: Registry) -> Iterator[ObservedFlow | Note]:
    """What a grant beyond the account comes to. ``via``: the policy, the access list or an access point."""
    if grantee.kind == "public":
        yield Note(
            "public_access",
            "CRITICAL",
            f"bucket:{bucket}",
            via,
            f"anybody may reach the bucket, by {via}",
            "block public access to the bucket; if its content is meant for everybody, keep no personal data in it",
            f"bucket:{bucket}",
        )
    elif grantee.kind == "account":
        place = f"grant:{bucket}>{grantee.who}"
        entry = registry.host(f"aws-account:{grantee.who}")
        yield ObservedFlow(
            place,
            "DISCLOSURE",
            entry.country if entry else None,
            f"{'an account' if entry else 'an account that nobody registered'}, by {via}",
            entity=entry.processor if entry else None,
            destination=f"bucket:{bucket}",
        )
    else:
        yield Note(
            "grant_unread",
            "MEDIUM",
            f"bucket:{bucket}",
            f"{via}/{grantee.who}",
            f"{via} lets somebody in who cannot be told ({grantee.who})",
            "name the accounts in the policy, or remove the statement",
        )


class GrantObserver:
    """Who beyond the account may reach a bucket, by its policy and by its access list."""

    name = "bucket_grants"

    def __init__(self, store: ObjectStore, registry: Registry) -> None:
        self._store, self._registry = store, registry

    def observe(self) -> Observation:
        try:
            account = self._store.account()
            sharing = {name: self._store.sharing(name) for name in self._store.buckets()}
        except PrivacyOpsError as error:
            return blind(self.name, error)
        flows, notes = each(self._grants(sharing, account))
        return Observation(self.name, flows, looked=True, notes=notes)

    def _grants(self, sharing: Mapping[str, BucketSharing], account: str) -> Iterator[ObservedFlow | Note]:
        for bucket, facts in sharing.items():
            for via, grantees in (
                ("its policy", policies.grantees(facts.policy, account)),
                ("its access list", policies.listed(facts.grants, facts.owner)),
            ):
                for grantee in grantees:
                    yield from _shown(bucket, via, grantee, self._registry)


class AccessPointObserver:
    """Access points of the account's buckets: their own policies, and buckets of other accounts behind them."""

    name = "access_points"

    def __init__(self, store: ObjectStore, registry: Registry) -> None:
        self._store, self._registry = store, registry

    def observe(self) -> Observation:
        try:
            account = self._store.account()
            points = self._store.access_points(account)
        except PrivacyOpsError as error:
            return blind(self.name, error)
        flows, notes = each(self._grants(points, account))
        return Observation(self.name, flows, looked=True, notes=notes)

    def _grants(self, points: Sequence[AccessPoint], account: str) -> Iterator[ObservedFlow | Note]:
        for point in points:
            via = f"{'multi-region ' * point.multi_region}access point {point.name}"
            grantees = policies.grantees(point.policy, account)
            if point.account not in {"", account}:  # what is written through it ends with somebody else
                grantees = (*grantees, Grantee("account", point.account))
            for grantee in grantees:
                yield from _shown(point.bucket, via, grantee, self._registry)
