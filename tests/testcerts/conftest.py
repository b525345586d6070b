"""One hierarchy with every profile for all tests of testcerts; P-256 keys, because they are generated quickly."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from testcerts import store
from testcerts.hierarchy import TestHierarchy
from testcerts.issue import Order, parse_subject
from testcerts.profiles import KeyKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def order() -> Order:
    return Order(parse_subject("CN=Contoso Test,O=Contoso"), NOW, KeyKind.P256)


@pytest.fixture(scope="session")
def hierarchy(tmp_path_factory: pytest.TempPathFactory, order: Order) -> TestHierarchy:
    return store.create(tmp_path_factory.mktemp("pki") / "certs", order, ["all"]).hierarchy
