"""`signer.audit.baseline`: what changed since an earlier audit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from signer.audit.baseline import differences, read_baseline
from signer.audit.rows import Answer, Identity, Reason, Row
from signer.errors import ConfigError


def row(name: str, answer: Answer) -> Row:
    return Row(f"{name}.sys", (f"{name}.sys",), name * 64, Reason(answer), Identity())


OLD = [row("a", "loads"), row("b", "stops"), row("c", "loads")]
NEW = [row("a", "stops"), row("c", "loads"), row("d", "stops-unless-allowed")]


@pytest.mark.parametrize("wrapped", [True, False], ids=["document", "table"])
def test_changed_new_and_gone_drivers(tmp_path: Path, wrapped: bool) -> None:
    rows = [one.as_json() for one in OLD]
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"schema": "drvsign.audit/1", "drivers": rows} if wrapped else rows))
    found = [(one.change, one.file, one.was, one.now, one.stops_now) for one in differences(NEW, read_baseline(path))]
    assert found == [
        ("changed", "a.sys", "loads", "stops", True),
        ("new", "d.sys", None, "stops-unless-allowed", True),
        ("gone", "b.sys", "stops", None, False),
    ]


def test_versions_of_a_package_whose_files_are_not_here_are_apart(tmp_path: Path) -> None:
    old, new = (
        Row("x.inf", ("x.inf",), "", Reason("needs-file", origin="inventory"), Identity(version), present=False)
        for version in ("1.0.0.0", "2.0.0.0")
    )
    path = tmp_path / "old.json"
    path.write_text(json.dumps([old.as_json(), new.as_json()]))
    assert list(differences([old, new], read_baseline(path))) == []
    assert [one.change for one in differences([old], read_baseline(path))] == ["gone"]


BAD = {
    "no JSON": b"{",
    "another document": b'{"schema": "drvsign.verdict/1"}',
    "an unknown answer": b'[{"file": "a", "authentihash": "", "answer": "maybe"}]',
    "numbers": b"[1, 2]",
    "a number": b"7",
    "deep": b"[" * 100_000,
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_anything_else_is_refused_with_a_way_out(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "old.json"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match="not the JSON of an audit") as caught:
        read_baseline(path)
    assert "drvsign audit" in (caught.value.hint or "")
