"""Audits for the tests of reports: a small one with every answer, a hostile one, and a large one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from signer.audit.baseline import Difference
from signer.audit.rows import Answer, Identity, PackageUse, Reason, Row
from signer.reports.audit_page.page import AuditAnswer, render
from signer.reports.audit_page.summary import Asked
from tests.support.reports import HOSTILE

POLICY = Reason(
    *("stops", "Windows Driver Policy", "2026-04-14", "driver-policy"),
    "windows-driver-docs install/kernel-mode-code-signing-requirements.md",
    "Submit the driver package to Microsoft's Hardware Dev Center.",
)
UNLESS = Reason(
    "stops-unless-allowed", "Windows Driver Policy", "2026-04-14", "driver-policy-unknown", "", "Give a list."
)
HVCI = Reason("stops", "memory integrity", "", "hvci", "", "Ask the vendor for a compatible driver.")


def row(
    name: str,
    reason: Reason,
    publisher: str = "",
    issued: str = "",
    device: str = "",
    machines: Sequence[str] = (),
) -> Row:
    """Return the row of a driver in a driver store."""
    path = f"store\\{name}.inf_amd64\\{name}.sys"
    signature = "cross-signed" if publisher else ""
    packages = (PackageUse(path[:-3] + "inf", device, (f"PCI\\VEN_{name.upper()}",)),) if device else ()
    digest = "" if reason.answer == "needs-file" else name.encode().hex().ljust(64, "0")
    identity = Identity("1.2.3.4", publisher, "", signature, issued)
    return Row(path, (path, f"copy\\{name}.sys"), digest, reason, identity, packages, tuple(machines))


SAMPLE = (
    row("alpha", POLICY, "Contoso", "2013-05-01", "Net", ("pc-1", "pc-2")),
    row("beta", POLICY, "Contoso", "2014-06-01", "USB", ("pc-1",)),
    row("gamma", HVCI, "Fabrikam & Söhne", "2014-11-30", "Net", ("pc-2",)),
    row("delta", UNLESS, "Fabrikam & Söhne", "2016-01-02", "Printer", ("pc-3",)),
    row("epsilon", Reason("already-refused", rule="unsigned", remedy="Sign it."), device="Net"),
    row("zeta", Reason("unknown", rule="expiry"), "Contoso", "2015-01-01"),
    row("eta", Reason("needs-file", rule="file", remedy="The file is locked.")),
    *(row(f"loads{number}", Reason("loads"), "Contoso", "2020-01-01", "Net", ("pc-1",)) for number in range(60)),
    row("tool", Reason("not-a-driver", rule="format")),
)
CHANGES = (
    Difference("changed", SAMPLE[0].file, SAMPLE[0].authentihash, "loads", "stops", SAMPLE[0].key),
    Difference("new", SAMPLE[1].file, SAMPLE[1].authentihash, None, "stops", SAMPLE[1].key),
    Difference("gone", "store\\old.sys", "0f" * 32, "loads", None, "0f" * 32),
)


def page(rows: Sequence[Row] = SAMPLE, changes: Sequence[Difference] | None = None, target: str | None = None) -> str:
    """Return the page of an audit."""
    return "".join(render(AuditAnswer(lambda: rows, Asked(target, datetime(2026, 11, 27)), changes, 1)))


def hostile_rows() -> list[Row]:
    """Return rows whose every text is hostile, `</script>` included."""
    text = f"</script><img src=x onerror=alert(1)><!--{HOSTILE}"
    found = []
    answers: tuple[Answer, ...] = ("stops", "stops-unless-allowed", "loads")
    for place, answer in enumerate(answers):
        reason = Reason(answer, text, "2026-04-14", text, text, text)
        identity = Identity(text, text, text, text, text)
        packages = (PackageUse(text, text, (text, text)),)
        found.append(
            Row(f"{place}{text}", (f"{place}{text}", text), f"{place:064}", reason, identity, packages, (text,))
        )
    return found


def many(count: int) -> list[Row]:
    """Return many rows. One in twenty stops."""
    return [
        row(
            f"driver{number:06}",
            POLICY if number * 20 < count else Reason("loads", rule="portal"),
            f"Vendor {number % 300}",
            f"{2006 + number % 20}-{number % 12 + 1:02}-01",
            f"Class{number % 30}",
            [f"pc-{number % 50}", f"pc-{number % 7}"],
        )
        for number in range(count)
    ]
