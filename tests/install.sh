#!/usr/bin/env bash
# Installs a build into a prefix of its own and uses it as a stranger would: examples/minimal_call.c
# with nothing but pkg-config, with C++, and with find_package(); checks that jcall runs from there
# and that the library exports its public names only.
#
#   install.sh BUILD_DIRECTORY
set -euo pipefail

source_dir=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/jingle-install.XXXXXX")
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

passed() {
    echo "$*"
    echo 'COUNT passed 1'
}

cmake --install "$build" --prefix "$prefix" >"$work/install.log"
pkg_config_dir=$(dirname "$(find "$prefix" -name jingle-engine.pc)")
lib_dir=$(dirname "$(find "$prefix" -name libjingle-engine.so | head -n 1)")
export LD_LIBRARY_PATH=$lib_dir

cd "$work" # nothing of the source tree is found by chance
export PKG_CONFIG_PATH=$pkg_config_dir
cp "$source_dir/examples/minimal_call.c" .

# shellcheck disable=SC2046 # flags are words
cc -Wall -Wextra -Werror minimal_call.c -o by_pkg_config \
    $(pkg-config --cflags --libs jingle-engine)
status=0
./by_pkg_config >usage.txt 2>&1 || status=$?
[ $status -lt 126 ] || { cat usage.txt; exit 1; }
passed 'minimal_call.c builds with pkg-config alone and starts.'

version=$(sed -n 's/^project(jingle-engine VERSION \([0-9.]*\).*/\1/p' "$source_dir/CMakeLists.txt")
cat >version.cc <<'END'
#include <cstdio>
#include <jingle/jingle.h>
int main()
{
    std::puts(jingle_version_string());
    return jingle_version() == JINGLE_VERSION ? 0 : 1;
}
END
# shellcheck disable=SC2046
c++ -Wall -Wextra -Werror version.cc -o version $(pkg-config --cflags --libs jingle-engine)
[ "$(./version)" = "$version" ]
[ "$(pkg-config --modversion jingle-engine)" = "$version" ]
passed "The header works from C++; library, header and pkg-config agree on version $version."

mkdir package
cp minimal_call.c package
cat >package/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.21)
project(stranger LANGUAGES C)
find_package(jingle-engine 0.1 CONFIG REQUIRED)
add_executable(by_cmake minimal_call.c)
target_link_libraries(by_cmake PRIVATE jingle::jingle-engine)
END
cmake -S package -B package/build -DCMAKE_PREFIX_PATH="$prefix" >cmake.log
cmake --build package/build >>cmake.log
passed 'minimal_call.c builds with find_package(jingle-engine).'

unset LD_LIBRARY_PATH
"$prefix/bin/jcall" --version | grep -qF "$version"
"$prefix/bin/jcall" --help >/dev/null
[ -s "$prefix/share/man/man1/jcall.1" ]
passed 'jcall runs from where it was installed, and brings its manual page.'

exported=$(nm -D --defined-only "$lib_dir/libjingle-engine.so" | awk '{ print $3 }')
foreign=$(grep -v '^jingle_' <<<"$exported" || true)
[ -z "$foreign" ] || { echo "Exported, but not public: $foreign"; exit 1; }
missing=
for name in $(sed -n '/^JINGLE_API/,/;/p' "$source_dir/engine/include/jingle/jingle.h" |
    grep -oE '\bjingle_[a-z0-9_]+\(' | tr -d '(' | sort -u); do
    grep -qxF "$name" <<<"$exported" || missing+=" $name"
done
[ -z "$missing" ] || { echo "Declared, but not exported:$missing"; exit 1; }
passed 'The library exports what jingle.h declares, and nothing else.'
