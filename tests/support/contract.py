"""Shapes of the JSON documents in the command line's contract."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Shape = Any
"""A type, a tuple of allowed values, a pattern, None, a list of one shape, a dict of shapes, or `either(...)`."""

ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
HEX = re.compile(r"(?:[0-9a-f]{2})+")
DIGITS = re.compile(r"[0-9a-f]+")
STATUS = re.compile(r"0x[0-9A-F]{8}")
TARGET = re.compile(r"(?:vista|win|server)[a-z0-9.-]*-(?:x86|x64|arm64|ia64)(?:-smode)?")


def either(*shapes: Shape) -> Callable[[Any], list[str]]:
    """Accept any of these shapes."""

    def check(value: Any) -> list[str]:
        found = [list(differences(value, shape)) for shape in shapes]
        return [] if any(not one for one in found) else min(found, key=len)

    return check


SIGNER = {
    "subject": str,
    "common_name": str,
    "issuer": str,
    "serial": DIGITS,
    "sha1": HEX,
    "sha256": HEX,
}
SIGNATURE = {
    "index": int,
    "source": ("embedded", "nested", "catalog"),
    "catalog": either(str, None),
    "digest_algorithm": ("md5", "sha1", "sha256", "sha384", "sha512", "unknown"),
    "intact": bool,
    "signer": either(SIGNER, dict.fromkeys(SIGNER, ("",))),
    "program_name": either(str, None),
    "url": either(str, None),
    "class": (
        "windows",
        "whql",
        "attested",
        "preproduction",
        "cross-signed",
        "commercial",
        "test",
        "self-signed",
        "unknown",
    ),
    "page_hashes": ("none", "sha1", "sha256"),
    "page_hashes_intact": either(bool, None),
    "timestamp": either(
        {"kind": ("rfc3161", "authenticode"), "time": ISO, "intact": bool, "signer": str},
        None,
    ),
    "chain": [{"subject": str, "sha1": HEX, "not_before": ISO, "not_after": ISO}],
    "root": either(str, None),
}
FINDING = {
    "code": str,
    "severity": ("error", "warning", "info"),
    "message": str,
    "source": str,
    "hint": either(str, None),
}
VERDICT = {
    "schema": ("drvsign.verdict/1",),
    "accepted": bool,
    "decided": bool,
    "files": [
        {
            "path": str,
            "kind": ("image", "catalog", "cabinet", "package"),
            "accepted": bool,
            "decided": bool,
            "signatures": [SIGNATURE],
            "targets": [
                {
                    "target": TARGET,
                    "verdict": ("accepted", "rejected", "unknown", "not-applicable"),
                    "rule": str,
                    "findings": [str],
                    "events": [int],
                    "status": either(STATUS, None),
                }
            ],
            "findings": [FINDING],
            "events": [{"id": int, "channel": str, "level": str, "message": str, "data": dict}],
        }
    ],
    "publishers": [{"name": str, "submitter": either(str, None), "files": [str]}],
}
RESULT = {
    "schema": ("drvsign.result/1",),
    "files": [
        {
            "path": str,
            "action": ("signed", "skipped", "built", "failed"),
            "digest_algorithm": either(("sha1", "sha256", "sha384", "sha512"), None),
            "digest": either(HEX, None),
            "signer": either(str, None),
            "error": either({"code": str, "message": str, "hint": either(str, None)}, None),
        }
    ],
}
CATALOG = {
    "schema": ("drvsign.catalog/1",),
    "version": (1, 2),
    "list_identifier": HEX,
    "this_update": ISO,
    "attributes": [[str]],
    "members": [
        {
            "tag": HEX,
            "file": str,
            "kind": either(("image", "cabinet", "flat"), None),
            "digest_algorithm": either(("sha1", "sha256"), None),
            "digest": either(HEX, None),
            "os_attribute": either(str, None),
            "page_hashes": bool,
            "attributes": [[str]],
        }
    ],
}


def differences(value: Any, shape: Shape, where: str = "") -> Iterator[str]:
    """Yield the differences between a document and its shape, including missing and unexpected keys."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{where}: {value!r} is not an object"
            return
        for key in sorted(shape.keys() ^ value.keys()):
            yield f"{where}.{key}: {'missing' if key in shape else 'not in the contract'}"
        for key in shape.keys() & value.keys():
            yield from differences(value[key], shape[key], f"{where}.{key}")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{where}: {value!r} is not a list"
            return
        for index, item in enumerate(value):
            yield from differences(item, shape[0], f"{where}[{index}]")
    elif not _fits(value, shape):
        yield f"{where}: {value!r}"


def _fits(value: Any, shape: Shape) -> bool:
    if shape is None:
        return value is None
    if isinstance(shape, tuple):
        return any(value == one and type(value) is type(one) for one in shape)
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and shape.fullmatch(value) is not None
    if isinstance(shape, type):
        return type(value) is shape
    return not shape(value)
