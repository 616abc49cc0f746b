#!/bin/sh
# A private PulseAudio daemon with one null sink, and an ALSA configuration whose default device is
# that daemon: a sound card for tests. Needs pulseaudio, pulseaudio-utils and libasound2-plugins.
#
#   pulse.sh start DIR     starts the daemon; everything it has lives in DIR, which must exist.
#                          Prints the variables that its clients need, as lines NAME=value.
#   pulse.sh stop DIR      stops it
#   pulse.sh kill DIR      kills it, as a crash does
#
# What is played to the default device can be captured from it: capture is the null sink's monitor.
# A null sink that nobody hurries works in pieces of two seconds, so `start` leaves a client with low
# latency running that keeps it awake (`stop` and `kill` end that, too), and waits until it is awake.
# shellcheck disable=SC2046 # each line of variables is a word for env
set -eu

usage() {
    sed -n '2,12s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

[ $# -eq 2 ] && [ -d "$2" ] || usage
dir=$(cd "$2" && pwd)

variables() {
    printf '%s\n' "HOME=$dir" "XDG_RUNTIME_DIR=$dir" "XDG_CONFIG_HOME=$dir/config" \
        "PULSE_RUNTIME_PATH=$dir/pulse" "PULSE_SERVER=unix:$dir/pulse/native" \
        "PULSE_COOKIE=$dir/cookie" "ALSA_CONFIG_PATH=$dir/asound.conf"
}

ends() {
    [ -f "$dir/$1.pid" ] || return 0
    kill "-$2" "$(cat "$dir/$1.pid")" 2>/dev/null || true
    rm -f "$dir/$1.pid"
}

start() {
    mkdir -p "$dir/pulse" "$dir/config"
    chmod 700 "$dir" "$dir/pulse"
    cat > "$dir/asound.conf" <<CONF
pcm.!default { type pulse }
ctl.!default { type pulse }
CONF
    env $(variables) pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --log-level=error \
        --disallow-exit=true --disable-shm=true --realtime=no --high-priority=no \
        -L "module-native-protocol-unix auth-anonymous=1 socket=$dir/pulse/native" \
        -L "module-null-sink sink_name=card rate=48000 channels=2" \
        >"$dir/pulseaudio.log" 2>&1 </dev/null &
    echo $! > "$dir/pulseaudio.pid"
    tries=0
    until env $(variables) pactl set-default-source card.monitor >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ]; then
            cat "$dir/pulseaudio.log" >&2
            exit 1
        fi
        sleep 0.1
    done
    env $(variables) pacat --playback --latency-msec=5 --raw /dev/zero >/dev/null 2>&1 </dev/null &
    echo $! > "$dir/pacat.pid"
    # its first piece is of two seconds all the same: wait until sound flows
    env $(variables) parec --latency-msec=5 --raw 2>/dev/null | head -c 10000 >/dev/null
    variables
}

case $1 in
start) start ;;
stop) ends pacat TERM; ends pulseaudio TERM ;;
kill) ends pulseaudio KILL; ends pacat KILL ;;
*) usage ;;
esac
