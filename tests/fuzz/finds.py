"""Keep the smallest input for each place in the code that raised what it should not."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN = ("signer", "catalogs", "testcerts", "tests")


class Finds:
    """The finds of one harness, in a folder: NAME.input and NAME.txt with the traceback."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, data: bytes, error: BaseException) -> None:
        """Keep an input, if it is the first or the smallest one with this exception at this place."""
        path = self._folder / f"{place_of(error)}.input"
        if not path.is_file() or path.stat().st_size > len(data):
            path.write_bytes(data)
            path.with_suffix(".txt").write_text("".join(traceback.format_exception(error)), "utf-8")

    def recheck(self, run: Callable[[bytes], object]) -> None:
        """Run the inputs of earlier runs again, and remove those that raise nothing any more."""
        for path in sorted(self._folder.glob("*.input")):
            data = path.read_bytes()
            for one in (path, path.with_suffix(".txt")):
                one.unlink(missing_ok=True)
            try:
                run(data)
            except BaseException as error:
                self.add(data, error)

    def places(self) -> list[str]:
        """Return the names of the finds, and of what libFuzzer itself kept: timeouts and crashes."""
        return sorted(path.name.removesuffix(".input") for path in self._folder.iterdir() if path.suffix != ".txt")


def place_of(error: BaseException) -> str:
    """Return a name for the exception and the innermost place in the project that raised it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)]
    place = f"{Path(frames[-1].filename).stem}-{frames[-1].lineno}" if frames else "outside"
    return f"{type(error).__name__}-{place}"


def _is_own(name: str) -> bool:
    return name.startswith(tuple(f"{ROOT}/{package}/" for package in OWN))
