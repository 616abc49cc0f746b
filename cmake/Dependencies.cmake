# Every outside library, once. scripts/install-packages.sh has the names of Debian's packages.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0 gio-2.0)
pkg_check_modules(XML REQUIRED IMPORTED_TARGET libxml-2.0)
pkg_check_modules(STROPHE REQUIRED IMPORTED_TARGET libstrophe)
pkg_check_modules(NICE REQUIRED IMPORTED_TARGET nice)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl)
# 7.85 knows protocols by their names.
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.85)
pkg_check_modules(SRTP REQUIRED IMPORTED_TARGET libsrtp2)
pkg_check_modules(OPUS REQUIRED IMPORTED_TARGET opus)
pkg_check_modules(VPX REQUIRED IMPORTED_TARGET vpx)
pkg_check_modules(SNDFILE REQUIRED IMPORTED_TARGET sndfile)
pkg_check_modules(SPEEXDSP REQUIRED IMPORTED_TARGET speexdsp)
if(JINGLE_PORTAUDIO)
    pkg_check_modules(PORTAUDIO REQUIRED IMPORTED_TARGET portaudio-2.0)
endif()

# libyuv of Debian has no .pc file.
include(CheckIncludeFile)
include(CheckSymbolExists)
find_path(YUV_INCLUDE_DIR libyuv.h REQUIRED)
find_library(YUV_LIBRARY yuv REQUIRED)
add_library(yuv INTERFACE IMPORTED)
target_include_directories(yuv INTERFACE ${YUV_INCLUDE_DIR})
target_link_libraries(yuv INTERFACE ${YUV_LIBRARY})
set(CMAKE_REQUIRED_INCLUDES ${YUV_INCLUDE_DIR})
set(CMAKE_REQUIRED_LIBRARIES ${YUV_LIBRARY})
check_symbol_exists(UVScale libyuv.h YUV_HAS_UVSCALE)
check_symbol_exists(MJPGToI420 libyuv.h YUV_HAS_MJPEG)
unset(CMAKE_REQUIRED_INCLUDES)
unset(CMAKE_REQUIRED_LIBRARIES)
if(NOT YUV_HAS_UVSCALE)
    message(FATAL_ERROR "libyuv is too old: it has no UVScale()")
endif()

# What may be left out: it is built if its libraries are there, and must be there if it was asked for.
function(jingle_optional name what found)
    if(${found})
        option(${name} ${what} ON)
    else()
        option(${name} ${what} OFF)
    endif()
    if(${name} AND NOT ${found})
        message(FATAL_ERROR "${name} is ON and what it needs was not found")
    endif()
    message(STATUS "${what}: ${${name}} (${name})")
endfunction()

check_include_file(linux/videodev2.h HAVE_VIDEODEV2)
pkg_check_modules(XCB QUIET IMPORTED_TARGET xcb xcb-composite xcb-damage xcb-shm xcb-xfixes)
pkg_check_modules(PIPEWIRE QUIET IMPORTED_TARGET libpipewire-0.3>=0.3.40 gio-unix-2.0)
pkg_check_modules(FFMPEG QUIET IMPORTED_TARGET
    libavformat>=59.27 libavcodec>=59.37 libavutil>=57.28 libswresample>=4 libswscale>=6)
pkg_check_modules(WINDOW QUIET IMPORTED_TARGET sdl2>=2.0.22 pangocairo x11>=1.7)
pkg_check_modules(PNG QUIET IMPORTED_TARGET libpng>=1.6)
pkg_check_modules(UPNP QUIET IMPORTED_TARGET miniupnpc>=2.2)
jingle_optional(JINGLE_CAMERA "Cameras through V4L2" HAVE_VIDEODEV2)
jingle_optional(JINGLE_X11 "Screen capture through X11" XCB_FOUND)
jingle_optional(JINGLE_PIPEWIRE "Screen capture through the desktop portal" PIPEWIRE_FOUND)
# FFmpeg 7 hands const bytes to what writes them.
include(CheckCSourceCompiles)
if(FFMPEG_FOUND)
    set(CMAKE_REQUIRED_INCLUDES ${FFMPEG_INCLUDE_DIRS})
    set(CMAKE_REQUIRED_FLAGS -Werror=incompatible-pointer-types)
    check_c_source_compiles("
        #include <libavformat/avio.h>
        static int take(void *user, const unsigned char *bytes, int size)
        {
            return user && bytes ? size : 0;
        }
        int main(void)
        {
            AVIOContext context = {.write_packet = take};
            return context.write_packet == 0;
        }" AVIO_WRITES_CONST)
    unset(CMAKE_REQUIRED_INCLUDES)
    unset(CMAKE_REQUIRED_FLAGS)
endif()
jingle_optional(JINGLE_FFMPEG "Video files and recordings through FFmpeg" FFMPEG_FOUND)
jingle_optional(JINGLE_WINDOW "A window through SDL2" WINDOW_FOUND)
jingle_optional(JINGLE_PNG "Snapshots as PNG" PNG_FOUND)
jingle_optional(JINGLE_UPNP "Ports that a router lets in, through miniupnpc" UPNP_FOUND)
if(BUILD_TESTING)
    pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()
