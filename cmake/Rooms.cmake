# A room is a static library: its sources, the rooms below it and the outside libraries it knows.
# What is not named in ROOMS or LIBS is not visible to it, so the floors of docs/architecture.md
# are kept by the build.
function(jingle_room name)
    cmake_parse_arguments(ROOM "" "" "SOURCES;ROOMS;LIBS" ${ARGN})
    add_library(room_${name} STATIC ${ROOM_SOURCES})
    target_include_directories(room_${name} PUBLIC
        ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/engine ${PROJECT_SOURCE_DIR}/engine/include)
    target_link_libraries(room_${name} PRIVATE jingle_build_flags)
    foreach(room IN LISTS ROOM_ROOMS)
        target_link_libraries(room_${name} PUBLIC room_${room})
    endforeach()
    target_link_libraries(room_${name} PUBLIC ${ROOM_LIBS})
endfunction()

# A test program with cmocka: jingle_test(unit NAME SOURCES ... ROOMS ...); ctest label = kind.
# It gets the label "threads" as well, and is built by the target thread_tests, if it may start some:
# every one of a room that has threads, unless ALONE says that this one does without, all that are
# neither unit nor sim, and what THREADS is said of.
set(rooms_with_threads base transport media transfer engine)
function(jingle_test kind name)
    cmake_parse_arguments(T "ALONE;THREADS" "TIMEOUT" "SOURCES;ROOMS;LIBS;ARGS" ${ARGN})
    if(NOT T_SOURCES)
        set(T_SOURCES ${name}.c)
    endif()
    if(NOT T_TIMEOUT)
        set(T_TIMEOUT 120)
    endif()
    add_executable(${kind}_${name} ${T_SOURCES})
    target_include_directories(${kind}_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    foreach(room IN LISTS T_ROOMS)
        target_link_libraries(${kind}_${name} PRIVATE room_${room})
    endforeach()
    target_link_libraries(${kind}_${name} PRIVATE jingle_build_flags PkgConfig::CMOCKA ${T_LIBS})
    add_test(NAME ${kind}/${name} COMMAND ${kind}_${name} ${T_ARGS}
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}/tests)
    set(labels ${kind})
    foreach(room IN LISTS T_ROOMS)
        if(kind STREQUAL unit AND room IN_LIST rooms_with_threads AND NOT T_ALONE)
            set(T_THREADS TRUE)
        endif()
    endforeach()
    if(T_THREADS OR NOT kind MATCHES "^(unit|sim)$")
        list(APPEND labels threads)
        add_dependencies(thread_tests ${kind}_${name})
    endif()
    set_tests_properties(${kind}/${name} PROPERTIES LABELS "${labels}" TIMEOUT ${T_TIMEOUT})
endfunction()
