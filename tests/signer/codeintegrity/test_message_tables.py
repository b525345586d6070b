"""The texts of events are those of ci.dll's message tables, word for word.

Source: libyal/winevt-kb, commit 5e51c65e83317e81eb68bca37a0fc56cc512eb1e, docs/sources/message-files/
MessageFile-ci.dll.md. Of each table, the number of its event messages and the start of the SHA-256 of their lines
"id, version, text", separated by tabs, were computed from that document. To find the row that differs, compare with it.
"""

from __future__ import annotations

import hashlib

import pytest

from signer.policy.tables import rows

PACKAGE = "signer.codeintegrity.data"
TABLES = {
    "6.0.6000.16386": ((6000,), 20, "9437e929067255311030a74357882961"),
    "6.1.7600.16385, 6.1.7601.17514": ((7600, 7601), 26, "42260247cf45fa43670792ce545c1cf2"),
    "6.2.9200.16384": ((9200,), 42, "c3faccddcd983a8a8820c159dc64f3d7"),
    "6.3.9600.16384, 6.3.9600.17550": ((9600,), 44, "5d8e23ff80a97d98b953dc1aad89175a"),
    "10.0.10586.0": ((10586,), 53, "33805a795d26dc6be76ad970de8e3b99"),
    "10.0.14393.0, 10.0.14393.206, 10.0.15063.0": ((14393, 15063), 58, "4a28ad5f6f73a8636dd5bf6ce30dacba"),
    "10.0.16299.15": ((16299,), 64, "2d04322a002bbecb4481d5edcc968d04"),
    "10.0.17134.441": ((17134,), 65, "8922222897d350626fdbcd1199a59e5b"),
    "10.0.17763.404, 10.0.17763.529": ((17763,), 66, "222b3e78bb24eaeb2fec99d0bcd02c83"),
    "10.0.18362.1, 10.0.18362.900": ((18362,), 81, "0ac233f12a8412f23cb12eb189b3041f"),
    "10.0.19041.1, 10.0.19041.546, 10.0.22000.100": ((19041, 22000), 85, "062fdd6ac1bd01dd9f2241724e0df49e"),
}


@pytest.mark.parametrize("file_version", TABLES)
def test_a_message_table_is_complete_and_unchanged(file_version: str) -> None:
    builds, count, digest = TABLES[file_version]
    for build in builds:
        texts = sorted(
            (int(row["id"]), int(row["version"]), row["message"].replace("\\n", "\n").replace("\\t", "\t"))
            for row in rows("event_messages.tsv", PACKAGE)
            # Rows with another source, or whose text is that of another event, have no message of their own.
            if row["source"].startswith("winevt-kb") and ": text of" not in row["source"]
            if int(row["first_build"]) <= build <= int(row["last_build"] or build)
        )
        lines = "\n".join("\t".join(map(str, text)) for text in texts)
        assert (len(texts), hashlib.sha256(lines.encode()).hexdigest()[:32]) == (count, digest), build


@pytest.mark.parametrize("table", ["event_messages.tsv", "event_fields.tsv", "event_values.tsv", "status_codes.tsv"])
def test_every_row_names_a_cited_source(table: str) -> None:
    cited = {row["source"] for row in rows("event_sources.tsv", PACKAGE)}
    for row in rows(table, PACKAGE):
        assert row["source"], row
        if table.startswith("event_"):
            assert any(row["source"].startswith(one.split()[0]) for one in cited), row
