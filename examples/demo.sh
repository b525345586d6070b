#!/bin/sh
# Sign, catalog and verify the driver in examples/hello; run by `make demo`. Argument: the working folder.
set -eu

cd "$(dirname "$0")/.."
work=${1:-build/demo}
package=$work/hello
target=win11-23h2-x64

step() {
    printf '\n%s\n  $ ' "$1"
    shift
    echo "$@"
    "$@"
}

rm -rf "$work"
mkdir -p "$package"
cp examples/hello/hello.inf examples/hello/hello.sys "$package"
chmod u+w "$package"/*

if [ -e testcerts/generated/root.cer ]; then
    step "1. Show the existing test certificates:" \
        drvsign certs show testcerts/generated/root.cer testcerts/generated/code-signing.cer
else
    step "1. Create a test certificate authority and a code-signing certificate:" \
        drvsign certs create testcerts/generated
fi
step "2. Sign the driver, build the catalog from the INF, sign the catalog:" \
    drvsign package "$package"
step "3. Check whether Windows loads it with test signing on:" \
    drvsign verify "$package" --target $target --test-machine
step "4. Create the script that installs the certificates on a test machine:" \
    drvsign certs install-script --output "$work/trust-drvsign.cmd"

cat <<END

Done: a signed driver package, and a script that installs the certificates on a test machine.

$(ls "$work"/hello/* "$work"/*.cmd | sed 's/^/    /')

Copy them to a test machine and run there as administrator:

    trust-drvsign.cmd                             installs the certificates and turns on test signing (then restart)
    devcon install hello.inf Root\\DrvsignHello    installs the driver, which prints hello in the debugger

For your own package:

    . .venv/bin/activate
    drvsign package path/to/driver
    drvsign verify path/to/driver --target $target --test-machine
END
