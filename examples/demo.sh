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

step "1. A certificate authority for tests, and a certificate to sign with:" \
    drvsign certs create
step "2. Sign the driver, build the catalog from the INF, sign the catalog:" \
    drvsign package "$package"
step "3. Would Windows load it? With test signing on:" \
    drvsign verify "$package" --policy kernel --target $target --testsigning --roots test-signing
step "4. The script that makes a test machine trust it:" \
    drvsign certs install-script --output "$work/trust-drvsign.cmd"

cat <<END

Done: $package is signed and ready to install.
  Copy it and $work/trust-drvsign.cmd to a test machine. There, as administrator:
    trust-drvsign.cmd                                  once, then restart
    devcon install hello.inf Root\\DrvsignHello        the driver says hello in the debugger
END
