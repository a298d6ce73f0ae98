"""Everything that must hold before a release is packed, queued or sent: what gov says, the address, the bytes."""

from __future__ import annotations

import hashlib
from email.headerregistry import Address

from privacy_ops.stores.objects import ObjectMissing
from privacy_ops.usage.delivery import contacts
from privacy_ops.usage.delivery.standing import BYTES_CHANGED, Standing
from privacy_ops.usage.recipients import read_registry
from privacy_ops.workspace import Workspace


class Checks:
    """Reads the registry file once; made anew for each step. Raises ConfigError when it cannot be read."""

    def __init__(self, workspace: Workspace) -> None:
        self._settings = workspace.settings
        self._registry = read_registry(workspace.settings.recipients_path)
        self.store = workspace.objects()

    def address(self, one: Standing) -> Address | str:
        """Where mails about the release go, or the code of why nowhere."""
        return contacts.address_of(
            self._registry, self._settings.keys, one.recipient_id, one.contact_key_id, one.contact_hmac
        )

    def body(self, one: Standing) -> bytes | None:
        """The prepared object, exactly the version and bytes that were noted; None when they are gone or others."""
        if one.object_key is None:
            return None
        try:
            body = self.store.get(self._settings.exports_bucket, one.object_key, version_id=one.version_id or None)
        except ObjectMissing:
            return None
        return body if hashlib.sha256(body).hexdigest() == one.sha256 else None

    def reason(self, one: Standing) -> str | None:
        """The code of what forbids the delivery now, or None."""
        if reason := one.blocked():
            return reason
        address = self.address(one)
        if isinstance(address, str):
            return address
        return BYTES_CHANGED if one.object_key is not None and self.body(one) is None else None
