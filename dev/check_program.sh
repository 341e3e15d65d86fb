#!/bin/sh
# Is the release program what we promise? Under 3 MB without symbols, hardened, and nothing linked
# but libraries of the system.
set -u
program=${1:-build/paddock}
failed=0
say() {
    echo "check_program: $*"
    failed=1
}

stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$program" || exit 1
bytes=$(stat -c %s "$stripped")
[ "$bytes" -lt 3000000 ] || say "stripped it has $bytes bytes"
readelf -hW "$program" | grep -q 'Type: *DYN' || say "not position independent"
readelf -lW "$program" | grep -q GNU_RELRO || say "no RELRO"
readelf -dW "$program" | grep -Eq 'BIND_NOW|FLAGS.*NOW' || say "symbols are not bound at start"
readelf -lW "$program" | grep GNU_STACK | grep -q 'RW ' || say "the stack may be executed"
readelf -sW "$program" | grep -q '__stack_chk_fail' || say "no stack protector"
readelf -sW "$program" | grep -q '_chk@' || say "not fortified"
if readelf -dW "$program" | grep -Eq 'RPATH|RUNPATH'; then say "has an RPATH"; fi
for library in $(readelf -dW "$program" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p'); do
    case "$library" in
    libc.so.6 | libm.so.6 | libuv.so.1 | libedit.so.2 | libjansson.so.4 | libcrypto.so.3 | libz.so.1 | libsnappy.so.1 | ld-linux*) ;;
    *) say "needs $library" ;;
    esac
done
echo "check_program: $bytes bytes stripped"
exit $failed
