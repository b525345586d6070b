"""Make a virtual environment with a copy of the pip of this Python: to install pip takes five seconds.

python quick_venv.py FOLDER
"""

from __future__ import annotations

import shutil
import sys
import venv
from importlib import metadata
from pathlib import Path


def main() -> None:
    target = Path(sys.argv[1]).resolve()
    try:
        files = metadata.distribution("pip").files or ()
    except metadata.PackageNotFoundError:
        venv.create(target, with_pip=True)
        return
    venv.create(target, symlinks=True)
    (packages,) = target.glob("lib/python*/site-packages")
    for file in files:  # with their times, which bytecode must have, and their list, by which pip uninstalls itself
        copy = Path(packages, file).resolve()
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file.locate(), copy)
        if copy.parent.name == "bin":
            script = copy.read_text(encoding="utf-8").partition("\n")[2]
            copy.write_text(f"#!{target}/bin/python\n{script}", encoding="utf-8")


if __name__ == "__main__":
    main()
