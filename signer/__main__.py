"""The program `drvsign`; `python -m signer` is the same."""

import sys

_INTERRUPTED = 130


def main() -> None:
    """Run it. Interrupted while its modules are still being loaded, it ends as it does later."""
    try:
        from signer.cli import head_start

        head_start.give(sys.argv[1:])
        from signer.cli.app import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
