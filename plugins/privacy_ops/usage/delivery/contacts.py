"""Where a mail goes: the address from the registry file, if it is the one that was loaded into gov.

The file alone redirects nothing: whoever changes it must also be able to load it as the owner of gov.
"""

from __future__ import annotations

import hmac
from email.headerregistry import Address

from privacy_ops import pseudonyms
from privacy_ops.errors import ConfigError
from privacy_ops.settings import KeyRing
from privacy_ops.usage.delivery.standing import CONTACT_CHANGED, NO_CONTACT
from privacy_ops.usage.recipients import CONTACT_PURPOSE, Registry


def address_of(
    registry: Registry, keys: KeyRing, recipient_id: str, key_id: str | None, noted: str | None
) -> Address | str:
    """The recipient's address, or the code of why there is none. Raises ConfigError when the key is missing."""
    contact = next((r.contact for r in registry.recipients if r.id == recipient_id), None)
    if contact is None or noted is None:
        return NO_CONTACT
    known = pseudonyms.references_all_keys(keys, CONTACT_PURPOSE, pseudonyms.normalise_email(contact))
    if key_id not in {one.key_id for one in known}:
        raise ConfigError(
            "the key under which contacts were noted is not in the key ring",
            where=f"PRIVACY_OPS_HMAC_KEYS, {CONTACT_PURPOSE}",
            do="put it back, or run `python -m privacy_ops recipients load` under the key in use",
        )
    if not any(one.key_id == key_id and hmac.compare_digest(one.value, noted) for one in known):
        return CONTACT_CHANGED
    return Address(addr_spec=contact)
