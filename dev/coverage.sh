#!/bin/sh
# Lines and branches that the C tests and the fuzz corpus reach, per file; what is missed is in
# build/coverage/gcov/*.gcov. dev/coverage.sh [src/wire src/replica/store ...]
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- src/base src/wire src/replica
cmake --preset coverage >/dev/null
cmake --build build/coverage -j "$(nproc)" --target all tests >/dev/null
find build/coverage -name '*.gcda' -delete
ctest --test-dir build/coverage -j "$(nproc)" >build/coverage/ctest.log || tail -n 20 build/coverage/ctest.log
mkdir -p build/coverage/gcov
for source in $(git ls-files "$@" | grep '\.c$'); do
    room=$(echo "$source" | cut -d/ -f2)
    data="CMakeFiles/$room.dir/$source.gcda"
    if [ ! -f "build/coverage/$data" ]; then
        printf '%-44s not run at all\n' "$source"
        continue
    fi
    (cd build/coverage/gcov && gcov -b -c -o "../$data" "../../../$source" 2>/dev/null) |
        awk -v name="$source" -F'[:% ]' '
            /^File/ { here = index($0, name "\x27") > 0 }
            here && /^Lines executed/ { lines = $3 }
            here && /^Taken at least once/ { taken = $5 }
            END { printf "%-44s lines %6s %%   branches %6s %%\n", name, lines, taken }'
done
