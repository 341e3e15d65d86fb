#!/bin/sh
# Installs the Debian packages that are missing: dev/setup.sh build|deb|test|check
# Quiet and without network when nothing is missing. Uses sudo when not root.
set -eu

# A word with a colon is package:command: installed only when the command is not there, so that a
# compiler, a Java or a Node that came another way is kept.
build_packages="gcc:gcc libc6-dev cmake:cmake ninja-build:ninja pkg-config:pkg-config make:make
    libuv1-dev libssl-dev zlib1g-dev libsnappy-dev libedit-dev libjansson-dev"
deb_packages="debhelper:dh dpkg-dev:dpkg-shlibdeps"
test_packages="libcmocka-dev ccache:ccache python3:/usr/bin/python3 python3-pytest python3-kazoo
    default-jre-headless:java zookeeper zookeeper-bin libzookeeper-mt-dev libzookeeper-st2 python3-zookeeper
    nodejs:node npm:npm valgrind:valgrind
    procps:ps iproute2:ip libfaketime strace:strace systemd:systemd-analyze lintian:lintian"
check_packages="clang:clang clang-format:clang-format clang-tidy:clang-tidy libclang-rt-14-dev
    git:git"

case "${1:-}" in
build) wanted="$build_packages" ;;
deb) wanted="$build_packages $deb_packages" ;;
test) wanted="$build_packages $deb_packages $test_packages" ;;
check) wanted="$build_packages $deb_packages $test_packages $check_packages" ;;
*)
    echo "usage: dev/setup.sh build|deb|test|check" >&2
    exit 2
    ;;
esac

missing=""
for word in $wanted; do
    package=${word%%:*}
    if [ "$word" != "$package" ]; then
        command -v "${word#*:}" >/dev/null 2>&1 || missing="$missing $package"
    else
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "These are missing, and there is no apt-get here to install them:$missing" >&2
    exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo"
    if ! command -v sudo >/dev/null 2>&1; then
        echo "As root, run: apt-get install -y$missing" >&2
        exit 1
    fi
fi
echo "Installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
if ! { $as_root apt-get update -q &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        $missing; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "Could not install:$missing" >&2
    exit 1
fi
