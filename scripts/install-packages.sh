#!/usr/bin/env bash
# Installs the Debian packages that Jingle Engine needs, as root or through sudo. If everything
# is there already it does nothing, and needs neither root nor a network.
#
#   install-packages.sh [--runtime] [--build] [--tests]
#
#   --runtime   what the built programs need, and the demo's private server and display
#   --build     compilers, tools and libraries to build
#   --tests     what tests/run.sh needs beyond these
# Without any: all three.
set -euo pipefail

# A|B: A in Debian 12, B in Debian 13.
runtime=(
    fonts-dejavu-core 'libarchive13|libarchive13t64' libasound2-plugins 'libavcodec59|libavcodec61'
    'libavformat59|libavformat61' 'libavutil57|libavutil59' libcairo2 'libcurl4|libcurl4t64'
    'libglib2.0-0|libglib2.0-0t64' libjansson4 'libminiupnpc17|libminiupnpc18' libnice10 libopus0
    libpango-1.0-0 libpangocairo-1.0-0 'libpipewire-0.3-0|libpipewire-0.3-0t64'
    'libpng16-16|libpng16-16t64' libportaudio2
    libsdl2-2.0-0 libsndfile1 libspeexdsp1 libsrtp2-1 'libssl3|libssl3t64' libstrophe0
    'libswresample4|libswresample5' 'libswscale6|libswscale8' 'libvpx7|libvpx9' libx11-6
    libxcb-composite0 libxcb-damage0 libxcb-shm0 libxcb-xfixes0 libxcb1 libxml2 libyuv0 openssl
    prosody shared-mime-info xvfb
)
build=(
    ccache cmake g++ gcc libarchive-dev libavcodec-dev libavformat-dev libavutil-dev libc6-dev
    libcairo2-dev libcmocka-dev libcurl4-openssl-dev libglib2.0-dev libjansson-dev
    libminiupnpc-dev libnice-dev libopus-dev libpango1.0-dev libpipewire-0.3-dev libpng-dev
    libsdl2-dev libsndfile1-dev libspeexdsp-dev libsrtp2-dev libssl-dev libstrophe-dev
    libswresample-dev libswscale-dev libvpx-dev libx11-dev libxcb-composite0-dev
    libxcb-damage0-dev libxcb-shm0-dev libxcb-xfixes0-dev libxcb1-dev libxml2-dev libyuv-dev
    ninja-build pkg-config portaudio19-dev
)
tests=(
    binutils clang clang-format clang-tidy coturn dbus ejabberd ffmpeg git iproute2
    'libclang-rt-14-dev|libclang-rt-dev' mandoc nftables pipewire procps pulseaudio pulseaudio-utils python3
    python3-gi python3-numpy python3-pytest python3-pytest-xdist python3-scipy python3-slixmpp
    shellcheck wireplumber xdotool
)

wanted=()
for option; do
    case $option in
        --runtime) wanted+=("${runtime[@]}") ;;
        --build) wanted+=("${build[@]}") ;;
        --tests) wanted+=("${tests[@]}") ;;
        *)
            sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"
            [ "$option" = --help ] && exit 0
            exit 2
            ;;
    esac
done
[ $# -gt 0 ] || wanted=("${runtime[@]}" "${build[@]}" "${tests[@]}")

is_installed() { # NAME
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null || true) in i*) ;; *) return 1 ;; esac
}

missing=()
for package in "${wanted[@]}"; do
    is_installed "${package%|*}" || is_installed "${package#*|}" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "All ${#wanted[@]} packages are installed."
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "These packages are missing: ${missing[*]}" >&2
        echo 'Install them as root; this user has no sudo.' >&2
        exit 1
    }
    as_root=(sudo)
fi
echo "Installing ${#missing[@]} packages:"
log=$(mktemp)
policy=/usr/sbin/policy-rc.d ours=
trap 'rm -f "$log"; [ -z "$ours" ] || "${as_root[@]}" rm -f $policy' EXIT

quietly() {
    if ! "${as_root[@]}" "$@" >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
}

quietly apt-get update -q

# Which of two names this Debian has is known only now.
for i in "${!missing[@]}"; do
    case $(apt-cache policy "${missing[i]%|*}") in
        *'Candidate: '[!\(]*) missing[i]=${missing[i]%|*} ;;
        *) missing[i]=${missing[i]#*|} ;;
    esac
done
echo "${missing[*]}"

# Servers are needed as programs only. Their packages are not to start them: a policy says so for
# the time of the installation, unless this machine has one already ...
if [ ! -e $policy ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod +x $policy
fi
quietly env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"

# ... nor is the next boot, nor a user's next session.
installed() { case " ${missing[*]} " in *" $1 "*) ;; *) return 1 ;; esac; }
if command -v systemctl >/dev/null; then
    for server in prosody coturn ejabberd; do
        ! installed $server || quietly systemctl disable $server.service
    done
    ! installed pulseaudio ||
        quietly systemctl --global disable pulseaudio.service pulseaudio.socket
    ! installed pipewire ||
        quietly systemctl --global disable pipewire.service pipewire.socket
    ! installed wireplumber || quietly systemctl --global disable wireplumber.service
fi
