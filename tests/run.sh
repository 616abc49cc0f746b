#!/usr/bin/env bash
# Builds and tests everything; all that is built lies under build/.
#
#   tests/run.sh [full]        every stage (up to 40 minutes on two cores)
#   tests/run.sh quick         the stages marked * below (up to 5 minutes)
#   tests/run.sh STAGE...      only these
#
#   --fuzz-seconds N           time for each fuzz target; default 15
#   --jobs N                   at once; default: the number of cores
#   -k EXPRESSION              which system tests, as pytest takes it
#
# A failing stage prints the end of its log; the others still run, and the exit status is 1 at the
# end. What could not run here is listed with its reason, and never counts as passed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

stages=(
    "packages *  Debian packages that are needed are installed"
    "format *    clang-format has nothing to change"
    "layers *    every room sees only the rooms and libraries that it may"
    "shell *     shellcheck is content with the scripts"
    "unit *      unit tests, with AddressSanitizer, LeakSanitizer and UBSan"
    "sim *       simulated calls in virtual time, likewise"
    "smoke *     one call between two jcalls over a private server, likewise"
    "system      all system tests, likewise"
    "interop     calls and files with browsers and other people's clients"
    "threads     unit and system tests in which threads meet, with ThreadSanitizer"
    "fuzz        each fuzz target from its seed corpus"
    "install     the installed library is found and used; only jingle_* is exported"
    "docs        the manual page is well-formed; links in the documents lead somewhere"
    "tidy        clang-tidy has nothing to say"
    "demo        examples/demo.sh succeeds"
)

fuzz_seconds=15
jobs=$(nproc)
select=
python=/usr/bin/python3 # Debian's, which has Debian's modules

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' tests/run.sh
    echo 'Stages:'
    printf '  %s\n' "${stages[@]}"
}

stage_names() { # [quick]
    local stage rest
    for stage in "${stages[@]}"; do
        rest=${stage#* }
        [ "${1:-}" = quick ] && [ "${rest:0:1}" != '*' ] || echo "${stage%% *}"
    done
}

# ------------------------------------------------------------------------------------ builds --

# Configures and builds a preset, or only the targets in $targets; quick if nothing changed.
built() { # PRESET [CMAKE OPTION...]
    local preset=$1
    shift
    if command -v ccache >/dev/null; then
        export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
    fi
    cmake --preset "$preset" "$@" || return 1
    cmake --build "build/$preset" -j "$jobs" --target ${targets:-all}
}

# 99: an exit code that jcall does not have tells of a sanitizer's finding.
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:exitcode=99
export UBSAN_OPTIONS=print_stacktrace=1
# GLib's slices hide from sanitizers what is freed, and make ThreadSanitizer see phantoms.
export G_SLICE=always-malloc
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export TSAN_OPTIONS=suppressions=$PWD/tests/tsan.supp:exitcode=99:second_deadlock_stack=1

# Runs ctest and says how many test functions passed, by what cmocka printed.
run_ctest() { # PRESET LABEL...
    local preset=$1 labels status workers=$jobs
    shift
    labels=$(IFS='|'; echo "$*")
    [[ $labels != *system* ]] || workers=$((jobs * 2)) # they mostly wait, as those of pytest
    # -V would be lost in parallel runs; ctest keeps every test's output here.
    ctest --test-dir "build/$preset" -L "^($labels)\$" -j "$workers" --output-on-failure \
        --no-tests=error
    status=$?
    count_cmocka "build/$preset/Testing/Temporary/LastTest.log"
    if [ $status -ne 0 ] && [[ $labels == *system* ]]; then # in real time
        echo 'What failed, once more and one at a time:'
        ctest --test-dir "build/$preset" -L "^($labels)\$" --rerun-failed --output-on-failure
        status=$?
    fi
    return $status
}

count_cmocka() { # LOG
    awk '/^\[  PASSED  \] [0-9]+ test/ { passed += $4 }
         /^\[  SKIPPED \] [0-9]+ test/ { skipped += $4 }
         END { print "COUNT passed " passed + 0; print "COUNT skipped " skipped + 0 }' "$1"
    grep -E '^\[  SKIPPED \] [a-z_]+$' "$1" | sort -u | sed 's/^\[  SKIPPED \]/SKIPPED/'
    return 0
}

# These tests run in real time and several at once. What fails then is named and tried once more by
# itself, where a slow machine is no excuse.
run_pytest() { # PRESET PYTEST OPTION...
    local preset=$1 status log=build/logs/pytest-$1
    shift
    # More workers than cores: these tests mostly wait.
    pytest_once "$preset" -n "${workers:-$((jobs * 2))}" --dist load "$@" | tee "$log.txt"
    status=$?
    count_pytest "$log.txt"
    if [ $status -ne 0 ]; then
        echo 'What failed, once more and one at a time:'
        pytest_once "$preset" --last-failed --last-failed-no-failures none "$@" | tee "$log-again.txt"
        status=$?
        count_pytest "$log-again.txt"
    fi
    return $status
}

pytest_once() { # PRESET PYTEST OPTION...
    local preset=$1
    shift
    JINGLE_BUILD=$PWD/build/$preset "$python" -m pytest -o "cache_dir=$PWD/build/pytest-$preset" \
        -q -r fEs "${folder:-tests/system}" ${select:+-k "$select"} "$@"
}

count_pytest() { # OUTPUT
    local kind
    for kind in passed skipped; do
        echo "COUNT $kind $(tail -n 1 "$1" | grep -oE "[0-9]+ $kind" | cut -d' ' -f1 || true)"
    done
    grep '^SKIPPED' "$1" || true
}

# ------------------------------------------------------------------------------------ stages --

stage_packages() {
    scripts/install-packages.sh --runtime --build --tests
}

source_files() {
    git ls-files '*.c' '*.h' | while read -r file; do [ ! -e "$file" ] || echo "$file"; done
}

stage_format() {
    source_files | xargs clang-format --dry-run --Werror
}

stage_layers() {
    "$python" tests/layers.py
}

stage_shell() {
    git ls-files '*.sh' .ci/run | xargs shellcheck --severity=warning
}

stage_unit() {
    built asan && run_ctest asan unit
}

stage_sim() {
    built asan && run_ctest asan sim
}

stage_smoke() {
    built asan && run_pytest asan -m smoke
}

stage_system() {
    local status=0
    built asan || return 1
    run_ctest asan system || status=1
    run_pytest asan || status=1
    return $status
}

# As people build it: browsers and sanitizers together are too slow for calls in real time.
stage_interop() {
    built release && folder=tests/interop workers=$jobs run_pytest release
}

# Which tests: cmake/Rooms.cmake says it for those of ctest. Of the others those are left out in
# which the same threads meet as elsewhere (the marker `signalling`: what is new is said by a server
# or a peer), and what ThreadSanitizer cannot judge.
stage_threads() {
    local status=0
    targets='thread_tests examples/all tests/support/all' built tsan -DJINGLE_BENCH=OFF || return 1
    run_ctest tsan threads system || status=1
    run_pytest tsan -m 'not signalling and not external and not gdbus and not memory' || status=1
    return $status
}

stage_fuzz() {
    local program programs=() status
    targets=fuzz_targets built fuzz -DJINGLE_BENCH=OFF -DJINGLE_EXAMPLES=OFF || return 1
    for program in build/fuzz/tests/fuzz/fuzz_*; do
        [ ! -f "$program" ] || [ ! -x "$program" ] || programs+=("$program")
    done
    [ ${#programs[@]} -gt 0 ] || { echo 'no fuzz target was built'; return 1; }
    export fuzz_seconds
    export -f fuzz_one
    printf '%s\n' "${programs[@]}" | xargs -n 1 -P "$jobs" bash -c 'fuzz_one "$0"'
    status=$?
    echo "COUNT passed ${#programs[@]}"
    return $status
}

fuzz_one() { # PROGRAM
    local name=${1##*/fuzz_} status
    local found=build/fuzz/corpus/$name log=build/logs/fuzz-$name.txt
    mkdir -p "$found"
    "$1" -max_total_time="$fuzz_seconds" -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/$name-" "$found" "tests/fuzz/corpus/$name" >"$log" 2>&1
    status=$?
    echo "== $name, $fuzz_seconds s: $([ $status -eq 0 ] && echo passed || echo FAILED)"
    tail -n "$([ $status -eq 0 ] && echo 8 || echo 100)" "$log"
    return $status
}

stage_install() {
    built release && tests/install.sh build/release
}

stage_docs() {
    mandoc -Tlint -Wwarning docs/*.1 && "$python" tests/links.py
}

stage_tidy() {
    built asan || return 1
    source_files | grep '\.c$' | grep -v '^tests/fuzz/' |
        xargs -n 4 -P "$jobs" clang-tidy -p build/asan --quiet \
            --extra-arg=-Wno-unknown-warning-option 2>build/logs/tidy.errors
}

stage_demo() {
    examples/demo.sh
}

# -------------------------------------------------------------------------------------- runs --

table=()
failed=0
passed_tests=0
skips=()

run_stage() { # NAME
    local name=$1 log=build/logs/$1.log began status count skipped
    began=$SECONDS
    printf '%-9s ... ' "$name"
    "stage_$name" >"$log" 2>&1 </dev/null
    status=$?
    count=$(awk '$1 == "COUNT" && $2 == "passed" { n += $3 } END { print n + 0 }' "$log")
    skipped=$(awk '$1 == "COUNT" && $2 == "skipped" { n += $3 } END { print n + 0 }' "$log")
    passed_tests=$((passed_tests + count))
    while read -r line; do skips+=("$name: $line"); done < <(grep '^SKIPPED' "$log" | sort -u)
    local word=passed took=$((SECONDS - began))
    [ $status -eq 0 ] || { word=FAILED; failed=$((failed + 1)); }
    table+=("$(printf '%-9s %-6s %4d s %5s tests %s' "$name" $word $took \
        "$([ "$count" -eq 0 ] && echo - || echo "$count")" \
        "$([ "$skipped" -eq 0 ] || echo "($skipped skipped)")")")
    echo "$word ($took s)"
    if [ $status -ne 0 ]; then
        echo "------------------------------------------------- end of $log"
        tail -n 150 "$log"
        echo '-------------------------------------------------'
    fi
}

print_table() {
    echo
    printf '%s\n' "${table[@]}"
    if [ ${#skips[@]} -gt 0 ]; then
        echo
        echo 'Not run here:'
        printf '  %s\n' "${skips[@]}"
    fi
    echo
    if [ $failed -eq 0 ]; then
        echo "All ${#table[@]} stages passed: $passed_tests tests," \
            "${#skips[@]} skips, $SECONDS s."
    else
        echo "$failed of ${#table[@]} stages FAILED ($passed_tests tests passed, $SECONDS s);" \
            'the logs are in build/logs.'
    fi
}

chosen=()
while [ $# -gt 0 ]; do
    case $1 in
        full) mapfile -t chosen < <(stage_names) ;;
        quick) mapfile -t chosen < <(stage_names quick) ;;
        --fuzz-seconds) fuzz_seconds=$2; shift ;;
        --jobs) jobs=$2; shift ;;
        -k) select=$2; shift ;;
        --help | -h) usage; exit 0 ;;
        *)
            stage_names | grep -qx -- "$1" || { echo "$1 is no stage."; usage; exit 2; } >&2
            chosen+=("$1")
            ;;
    esac
    shift
done
if [ ${#chosen[@]} -eq 0 ]; then
    mapfile -t chosen < <(stage_names)
fi

mkdir -p build/logs
for name in "${chosen[@]}"; do
    run_stage "$name"
done
print_table
[ $failed -eq 0 ]
