#!/bin/sh
# Format, layers, clang-tidy. dev/lint.sh [format|rooms|tidy ...]: only these.
set -u
cd "$(dirname "$0")/.." || exit 1
failed=0

lint_format() {
    git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror || failed=1
}

lint_rooms() {
    python3 dev/check_rooms.py build/debug || failed=1
}

# Two files at a time; what clang-tidy finds is all it prints.
lint_tidy() {
    git ls-files 'src/*.c' |
        xargs -P 2 -n 4 clang-tidy -p build/clang --quiet 2>/dev/null || failed=1
}

for part in ${*:-format rooms tidy}; do
    "lint_$part"
done
exit $failed
