#!/bin/sh
# The main job on the driver of examples/hello, as `make demo` runs it. The argument is a folder to work in.
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
    step "1. The test certificates that are there already:" \
        drvsign certs show testcerts/generated/root.cer testcerts/generated/code-signing.cer
else
    step "1. A certificate authority for tests, and a certificate to sign with:" \
        drvsign certs create
fi
step "2. Sign the driver, build the catalog from the INF, sign the catalog:" \
    drvsign package "$package"
step "3. Would Windows load it? With test signing on:" \
    drvsign verify "$package" --policy kernel --target $target --testsigning --roots test-signing
step "4. The script that makes a test machine trust it:" \
    drvsign certs install-script --output "$work/trust-drvsign.cmd"

cat <<END

Done: a signed driver package, and the script that makes a test machine trust it.

$(ls "$work"/hello/* "$work"/*.cmd | sed 's/^/    /')

Copy them to a test machine. There, as administrator:

    trust-drvsign.cmd                             trusts the certificates, switches test signing on; restart then
    devcon install hello.inf Root\\DrvsignHello    installs the driver, which says hello in the debugger

Your own package:

    . .venv/bin/activate
    drvsign package path/to/driver
    drvsign verify path/to/driver --policy kernel --target $target --testsigning --roots test-signing
END
