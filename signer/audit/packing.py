"""Write sightings as text, which databases keep, and read them."""

from __future__ import annotations

import json

from signer.audit.rows import Identity, LoggedEvent, PackageUse, Reason, Sighting


def packed(one: Sighting) -> str:
    """Return a sighting as text, which `unpacked` reads."""
    packages = [(use.inf, use.device_class, use.hardware_ids, use.version, use.date) for use in one.packages]
    events = [(event.id, event.time, event.policy, event.policy_name, event.log, event.machine) for event in one.events]
    reason, who = one.reason, one.identity
    return json.dumps(
        [
            *(one.path, one.authentihash, one.machine, one.links, packages, events, one.devices),
            (reason.answer, reason.policy, reason.date, reason.rule, reason.source, reason.remedy, reason.origin),
            (who.version, who.publisher, who.submitter, who.signature_class, who.issued),
        ]
    )


def unpacked(text: str) -> Sighting:
    """Return the sighting that `packed` wrote."""
    path, digest, machine, links, packages, events, devices, reason, identity = json.loads(text)
    return Sighting(
        path,
        digest,
        Reason(*reason),
        Identity(*identity),
        tuple(PackageUse(inf, name, tuple(ids), version, date) for inf, name, ids, version, date in packages),
        machine,
        tuple(links),
        tuple(LoggedEvent(*event) for event in events),
        tuple(devices),
    )
