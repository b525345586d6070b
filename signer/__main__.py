"""`python -m signer` is the command `drvsign`."""

from signer.cli.app import main

if __name__ == "__main__":
    main()
