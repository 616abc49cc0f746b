#!/usr/bin/env bash
# Builds the release preset and runs one bench: a table for people, and as the last line one JSON
# object for programs.
#
#   bench/run.sh                    lists the benches
#   bench/run.sh NAME [OPTIONS]     runs one; NAME --help shows its options
set -euo pipefail
cd "$(dirname "$0")/.."

benches() {
    sed -n 's/^# \([a-z_]*\): \(.*\)/\1\t\2/p' bench/CMakeLists.txt
}

if [ $# -eq 0 ] || [ "$1" = --help ]; then
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"
    echo
    benches | while IFS=$'\t' read -r name help; do printf '  %-10s %s\n' "$name" "$help"; done
    exit 0
fi

name=$1
shift
benches | cut -f1 | grep -qxF -- "$name" || {
    echo "There is no bench $name; bench/run.sh lists them." >&2
    exit 2
}
if command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
mkdir -p build
{ cmake --preset release && cmake --build build/release --target "bench_$name"; } \
    >build/bench-build.log 2>&1 || {
    tail -n 50 build/bench-build.log >&2
    exit 1
}
exec "build/release/bench/bench_$name" "$@"
