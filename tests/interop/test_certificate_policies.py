"""Certificate policies of random paths: OpenSSL, with -policy_check, finds the same paths valid."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.trust.chain import build_paths
from signer.trust.store import TrustStore
from tests.signer.trust.chain_cases import ANY_POLICY, Built, chained, forbids_any_policy, maps, policies
from tests.support.hierarchy import Entity
from tests.support.judges import openssl

NAMES = ["1.3.6.1.4.1.99999.1", "1.3.6.1.4.1.99999.2", ANY_POLICY]
Extension = tuple[x509.ExtensionType, bool]


def extensions(rng: random.Random, *, is_ca: bool) -> list[Extension]:
    """Return random extensions. Mappings are never forbidden: there Windows differs from RFC 5280."""
    found: list[Extension] = []
    if own := [name for name in NAMES if rng.random() < 0.45]:
        found.append(policies(*own))
    if rng.random() < 0.5:
        found.append((x509.PolicyConstraints(rng.randrange(3), None), True))
    if is_ca and rng.random() < 0.3:
        found.append(forbids_any_policy(rng.randrange(3)))
    if is_ca and rng.random() < 0.4:
        pairs = [(rng.choice(NAMES[:2]), rng.choice(NAMES[:2])) for _ in range(rng.randint(1, 2))]
        found.append(maps(*dict.fromkeys(pairs)))
    return found


def pem(*entities: Entity) -> bytes:
    return b"".join(entity.certificate.public_bytes(Encoding.PEM) for entity in entities)


def openssl_accepts(built: Built, folder: Path) -> bool:
    for name, entities in (("root", [built.root]), ("pool", built.pool), ("leaf", [built.leaf])):
        (folder / f"{name}.pem").write_bytes(pem(*entities))
    files = ["-CAfile", folder / "root.pem", "-untrusted", folder / "pool.pem", folder / "leaf.pem"]
    ran = openssl("verify", "-policy_check", "-policy", ANY_POLICY, "-attime", "1717200000", *files)
    assert ran.code == 0 or "policy" in ran.text, ran.text
    return ran.code == 0


@pytest.mark.parametrize("seed", range(60))
def test_openssl_finds_the_same_paths_valid(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    count = rng.randint(2, 4)
    built = chained(*(extensions(rng, is_ca=number < count - 1) for number in range(count)))
    store = TrustStore.test_signing([built.root.certificate])
    path = build_paths(built.leaf.certificate, [one.certificate for one in built.pool], store)[0]
    problems = {problem.code for problem in path.problems}
    assert problems <= {"invalid-policy"}
    assert (not problems) == openssl_accepts(built, tmp_path)
