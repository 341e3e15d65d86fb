#!/bin/sh
# dev/fuzz.sh SECONDS [target...]: every libFuzzer target in turn for so long, starting from
# fuzz/corpus/<target>; what is new goes to build/fuzz-corpus/<target>. Ends at the first crash,
# whose input stays under build/fuzz-crash/.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- $(ls fuzz/fuzz_*.c | sed 's,fuzz/fuzz_\(.*\)\.c,\1,')
mkdir -p build/fuzz-crash
for target in "$@"; do
    mkdir -p "build/fuzz-corpus/$target"
    corpus="build/fuzz-corpus/$target"
    [ -d "fuzz/corpus/$target" ] && corpus="$corpus fuzz/corpus/$target"
    dictionary=""
    [ -f "fuzz/$target.dict" ] && dictionary="-dict=fuzz/$target.dict"
    echo "== $target, $seconds s"
    # shellcheck disable=SC2086
    if ! "build/fuzz/fuzz/fuzz_$target" $dictionary -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="build/fuzz-crash/$target-" $corpus 2>"build/fuzz-corpus/$target.log"; then
        tail -n 60 "build/fuzz-corpus/$target.log"
        exit 1
    fi
    grep -E 'number_of_executed_units|new_units_added' "build/fuzz-corpus/$target.log" || true
done
