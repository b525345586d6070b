"""`--certs DIR`: what the commands say that a call prints, and a folder without certificates."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.program import drvsign, state


def test_the_notices_name_a_folder_that_only_this_call_names(work: Path, driver: Path) -> None:
    """Pasted without the folder, the commands would use the other authority."""
    ran = drvsign("sign", driver, "--certs", "my certs")
    commands = re.findall(r"drvsign .*", ran.stderr)
    assert [shlex.split(one)[-1] for one in commands] == ["my certs"] * 3
    checked = drvsign(*shlex.split(commands[1].replace("FILE", str(driver)))[1:], "--target", "win11-24h2-x64")
    assert checked.code == 0, checked.stdout


@pytest.mark.parametrize(
    "call",
    [
        "verify toaster.sys",
        "attach toaster.sys --signature toaster.sys",
        "catalog build .",
        "timestamp toaster.sys --timestamp http://127.0.0.1:9/",
    ],
)
def test_a_named_folder_without_certificates_is_an_error_that_says_how_to_make_it(
    work: Path, driver: Path, call: str
) -> None:
    before = state(work)
    ran = drvsign(*call.split(), "--certs", "no certs")
    assert (ran.code, state(work)) == (3, before)
    (hint,) = re.findall(r"hint: Run: drvsign (.*)", ran.stderr)
    assert drvsign(*shlex.split(hint)).code == 0
    assert "no test certificates" not in drvsign(*call.split(), "--certs", "no certs").stderr
