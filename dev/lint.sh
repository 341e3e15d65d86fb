#!/bin/sh
# Format, layers, circles of files, citations, clang-tidy.
#     dev/lint.sh [format|rooms|circles|citations|tidy ...]: only these
#     TIDY_NODES=225000 dev/lint.sh tidy: clang's own limit of what is followed in a function
set -u
cd "$(dirname "$0")/.." || exit 1
failed=0

lint_format() {
    git ls-files '*.c' '*.h' ':!test/golden' | xargs clang-format --dry-run -Werror 2>build/format.log || failed=1
    sed -n 's/^\([^ ]*\.[ch]\):.*error.*/\1/p' build/format.log | sort | uniq -c
}

lint_rooms() {
    python3 dev/check_rooms.py build/debug || failed=1
}

lint_circles() {
    python3 dev/check_circles.py build/debug || failed=1
}

lint_citations() {
    python3 dev/check_citations.py || failed=1
}

# Two files at a time; what clang-tidy finds is all it prints. The analyzer follows so many steps in a
# function: with five times as many it takes three times as long.
lint_tidy() {
    nodes=${TIDY_NODES:-40000}
    git ls-files 'src/*.c' |
        xargs -P 2 -n 4 clang-tidy -p build/clang --quiet --extra-arg=-Xclang \
            --extra-arg=-analyzer-config --extra-arg=-Xclang "--extra-arg=max-nodes=$nodes" \
            >build/clang-tidy.log 2>/dev/null || failed=1
    grep -E ' (error|warning): ' build/clang-tidy.log | sort -u
}

for part in ${*:-format rooms circles citations tidy}; do
    "lint_$part"
done
exit $failed
