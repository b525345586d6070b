"""The rows of the benchmark: functions that measure in an empty folder, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench._results import Result
from bench.rows.audit import audit, audit_engine, audit_growth
from bench.rows.catalogs import catalog_build, catalog_read, inf_lint
from bench.rows.growth import CURVES, growth
from bench.rows.packages import packages, packages_by_processors, packages_json
from bench.rows.sign import sign_large, sign_many, sign_one
from bench.rows.start import start
from bench.rows.verify import matrix, verify_beside_signify, verify_many, verify_small

ROWS: dict[str, Callable[[Path], Result]] = {
    "start": start,
    "verify-many": verify_many,
    "verify-signify": verify_beside_signify,
    "verify-small": verify_small,
    "matrix": matrix,
    "catalog-read": catalog_read,
    "packages": packages,
    "packages-json": packages_json,
    "packages-jobs": packages_by_processors,
    "audit": audit,
    "audit-engine": audit_engine,
    "audit-growth": audit_growth,
    "sign-one": sign_one,
    "sign-large": sign_large,
    "sign-many": sign_many,
    "catalog-build": catalog_build,
    "inf-lint": inf_lint,
    **{f"growth-{name.replace(' ', '-')}": partial(growth, name) for name in CURVES},
}
