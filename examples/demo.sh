#!/usr/bin/env bash
# A video call and a file between two people on this machine, from nothing to a verdict:
#
#   install packages ─▶ build ─▶ private XMPP server ─▶ Bob answers, Alice calls, speaks and shows
#                    a test picture ─▶ compare what Bob recorded and saw with what Alice sent
#                    ─▶ Bob sends Alice the picture that he saw ─▶ compare the two files
#
#   examples/demo.sh [--build DIR] [--out DIR]
#
#   --build DIR   take or build the programs there; default: build/release
#   --out DIR     where what was heard and seen is kept; default: out/demo
#
# The two windows are shown on this display, or on one of the demo's own (Xvfb) where there is none.
# It listens on loopback only, on free ports, and leaves nothing behind but packages, the build and
# in the folder: heard.flac, seen.png (Bob's last picture of Alice), call.html (a page about the
# call) and received/seen.png (the same picture, sent back to Alice). Ends with 0 only if every word
# arrived, the picture is right and the file came back equal.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build/release
out=$top/out/demo
spoken=$top/examples/speech.flac

while [ $# -gt 0 ]; do
    case $1 in
        --build) build=$(realpath -m "${2:?--build wants a directory}") ;;
        --out) out=$(realpath -m "${2:?--out wants a directory}") ;;
        *)
            sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"
            [ "$1" = --help ] && exit 0
            exit 2
            ;;
    esac
    shift 2
done

step() { printf '\n== %s\n' "$*"; }

fail() {
    printf '\nTHE DEMO FAILED: %s\n' "$*" >&2
    told=yes
    exit 1
}

told='' server='' work='' alice='' bob='' shown='' screen=''

clean_up() {
    local code=$?
    trap - EXIT
    for process in $alice $bob; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    for process in $shown; do wait "$process" 2>/dev/null || true; done
    [ -z "$screen" ] || kill "$screen" 2>/dev/null || true
    [ -z "$server" ] || "$top/examples/private_server.sh" stop "$server" || true
    [ -z "$work" ] || rm -rf "$work"
    [ $code -eq 0 ] || [ -n "$told" ] || printf '\nTHE DEMO FAILED.\n' >&2
    exit $code
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Quiet while all goes well; all of it when something fails.
quietly() {
    if ! "$@" >"$work/output" 2>&1; then
        cat "$work/output" >&2
        fail "$* did not work; its output is above."
    fi
}

build_programs() {
    (cd "$top" && quietly cmake --preset release -B "$build")
    quietly cmake --build "$build" --target jcall compare_sound compare_picture
}

start_server() {
    local lines
    lines=$("$top/examples/private_server.sh" start --account alice --account bob) ||
        fail 'the private XMPP server did not start.'
    eval "$lines"
    server=$DIR
}

# Everything that jcall is told besides its command; nothing of the user's own is read.
phone() { # NAME WORD...
    local name=$1
    shift
    JCALL_JID='' JCALL_PASSWORD=secret XDG_CONFIG_HOME=$work XDG_CACHE_HOME=$work/$name \
        exec timeout --foreground 120 "$build/examples/jcall" --jid "$name@$DOMAIN" --host "$HOST" --port "$PORT" \
        --tls starttls --ca-file "$CA_FILE" --lab-loopback "$@"
}

# A display of our own: Xvfb writes its number when it is ready.
start_screen() {
    mkfifo "$work/display"
    Xvfb -displayfd 3 -screen 0 1280x1024x24 -nolisten tcp 3>"$work/display" \
        >"$work/xvfb.log" 2>&1 </dev/null &
    screen=$!
    local number
    read -r -t 20 number <"$work/display" || fail 'Xvfb did not start.'
    export DISPLAY=:$number
}

# Both displays in one: each line with whose it is, as it comes, and kept.
show() { # NAME
    local line
    while IFS= read -r line; do
        printf '  %-5s | %s\n' "$1" "$line"
        printf '%s\n' "$line" >>"$work/$1.log"
    done
}

await_line() { # NAME TEXT SECONDS
    local tries=$(($3 * 10))
    until grep -q -- "$2" "$work/$1.log" 2>/dev/null; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.1
    done
}

work=$(mktemp -d "${TMPDIR:-/tmp}/jingle-demo.XXXXXX")

step '1 of 6: packages'
"$top/scripts/install-packages.sh" --runtime --build

step "2 of 6: build into $build (some minutes the first time)"
build_programs
echo "Built jcall $("$build/examples/jcall" --version | cut -d' ' -f2)."

step '3 of 6: a private XMPP server'
start_server
echo "Prosody runs for Alice and Bob on $HOST, port $PORT; nobody else can reach it."

step '4 of 6: the call'
mkdir -p "$out"
rm -rf "$out/heard.flac" "$out/seen.png" "$out/call.html" "$out/received"
if [ -z "${DISPLAY:-}" ]; then
    start_screen
    echo "There is no display here: the windows are on one of the demo's own, $DISPLAY."
fi
began=$("$build/examples/compare_picture" now)
mkfifo "$work/bob.pipe" "$work/alice.pipe"
show Bob <"$work/bob.pipe" &
shown=$!
phone bob answer --auto --once --video --test-picture --source=silence --sink=null \
    --record="$out/heard.flac" --snapshot="$out/seen.png" --report="$out/call.html" \
    >"$work/bob.pipe" 2>&1 </dev/null &
bob=$!
await_line Bob 'Waiting for calls' 20 || fail 'Bob could not log in.'

show Alice <"$work/alice.pipe" &
shown="$shown $!"
phone alice call "bob@$DOMAIN" --video --test-picture --source="file:$spoken" --sink=null \
    --until-source-ends \
    >"$work/alice.pipe" 2>&1 </dev/null &
alice=$!
alice_code=0 bob_code=0
wait "$alice" || alice_code=$?
alice=''
wait "$bob" || bob_code=$?
bob=''
for process in $shown; do wait "$process"; done
shown=''
[ "$alice_code" -eq 0 ] || fail "Alice's jcall ended with exit code $alice_code; see jcall(1)."
[ "$bob_code" -eq 0 ] || fail "Bob's jcall ended with exit code $bob_code; see jcall(1)."
ended=$("$build/examples/compare_picture" now)
[ -s "$out/heard.flac" ] || fail 'Bob recorded nothing.'
[ -s "$out/seen.png" ] || fail 'Bob saw nothing.'
[ -s "$out/call.html" ] || fail 'There is no page about the call.'

step '5 of 6: what was heard and seen'
verdict=0
"$build/examples/compare_sound" "$spoken" "$out/heard.flac" 0.9 >"$work/verdict" || verdict=$?
cat "$work/verdict"
seen=0
"$build/examples/compare_picture" "$out/seen.png" "$began" "$ended" || seen=$?
setup_time() { # NAME
    sed -n 's/.*sound flows \([0-9.]*\) s after the answer.*/\1/p' "$work/$1.log"
}
setup_alice=$(setup_time Alice) setup_bob=$(setup_time Bob)
echo
[ "$verdict" -eq 0 ] || fail "what Bob heard is not what Alice said; listen to $out/heard.flac"
[ "$seen" -eq 0 ] || fail "what Bob saw is not what Alice showed; look at $out/seen.png"

step '6 of 6: a file: Bob sends Alice the picture that he saw'
mkdir "$out/received"
rm -f "$work"/*.log
show Alice <"$work/alice.pipe" &
shown=$!
phone alice receive --auto --once --dir="$out/received" >"$work/alice.pipe" 2>&1 </dev/null &
alice=$!
await_line Alice 'Waiting for files' 20 || fail 'Alice could not log in.'
show Bob <"$work/bob.pipe" &
shown="$shown $!"
phone bob send "alice@$DOMAIN" "$out/seen.png" >"$work/bob.pipe" 2>&1 </dev/null &
bob=$!
alice_code=0 bob_code=0
wait "$bob" || bob_code=$?
bob=''
wait "$alice" || alice_code=$?
alice=''
for process in $shown; do wait "$process"; done
shown=''
[ "$bob_code" -eq 0 ] || fail "Bob's jcall ended with exit code $bob_code; see jcall(1)."
[ "$alice_code" -eq 0 ] || fail "Alice's jcall ended with exit code $alice_code; see jcall(1)."
cmp "$out/seen.png" "$out/received/seen.png" || fail 'the picture that Alice got is another one.'
(cd "$out" && sha256sum seen.png received/seen.png)

cat <<END

Bob heard every word that Alice said and saw what she showed:
  "$(sed -n 's/^| .speech.flac. | \(.*\) |$/\1/p' "$top/examples/recordings.md")"
Set-up: sound flowed $setup_alice s after the answer at Alice's end, $setup_bob s at Bob's.
The picture that he sent her arrived equal, byte for byte.
What he heard:         $out/heard.flac
What he saw last:      $out/seen.png
What she received:     $out/received/seen.png
A page about the call: $out/call.html
END
