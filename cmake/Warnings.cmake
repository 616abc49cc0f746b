# One interface target that everything of ours links: warnings and sanitizers.
add_library(jingle_build_flags INTERFACE)
target_compile_options(jingle_build_flags INTERFACE
    -Wall -Wextra -Wshadow -Wvla
    $<$<COMPILE_LANGUAGE:C>:-Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes>)
if(JINGLE_WERROR)
    target_compile_options(jingle_build_flags INTERFACE -Werror)
endif()
if(JINGLE_SANITIZE)
    target_compile_options(jingle_build_flags INTERFACE
        -fsanitize=${JINGLE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(jingle_build_flags INTERFACE -fsanitize=${JINGLE_SANITIZE})
endif()
if(JINGLE_FUZZ)
    target_compile_options(jingle_build_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_compile_definitions(jingle_build_flags INTERFACE _GNU_SOURCE)
