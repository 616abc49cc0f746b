# What `cmake --install` puts where: the library, its one header, pkg-config and CMake package
# files, jcall and its manual page. Programs find the library by `pkg-config jingle-engine` or by
# `find_package(jingle-engine CONFIG)` and the target jingle::jingle-engine.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/jingle-engine)

install(TARGETS jingle-engine EXPORT jingle-engine-targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES engine/include/jingle/jingle.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/jingle)
install(EXPORT jingle-engine-targets NAMESPACE jingle:: DESTINATION ${package_dir})

configure_package_config_file(cmake/jingle-engine-config.cmake.in
    ${PROJECT_BINARY_DIR}/jingle-engine-config.cmake
    INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/jingle-engine-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/jingle-engine-config.cmake
    ${PROJECT_BINARY_DIR}/jingle-engine-config-version.cmake
    DESTINATION ${package_dir})

# The prefix is found from where the .pc file lies, so that an installed tree can be moved; absolute
# directories stay as they are.
set(pc_prefix ${CMAKE_INSTALL_PREFIX})
if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
    file(RELATIVE_PATH up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
    string(REGEX REPLACE "/$" "" up "${up}")
    set(pc_prefix "\${pcfiledir}/${up}")
endif()
cmake_path(APPEND pc_libdir "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
cmake_path(APPEND pc_includedir "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(cmake/jingle-engine.pc.in ${PROJECT_BINARY_DIR}/jingle-engine.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/jingle-engine.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(JINGLE_EXAMPLES)
    install(TARGETS jcall RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    # The installed jcall finds the library beside it, also under a prefix of its own.
    file(RELATIVE_PATH lib_from_bin
        ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
    set_target_properties(jcall PROPERTIES INSTALL_RPATH "$ORIGIN/${lib_from_bin}")
    install(FILES docs/jcall.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES docs/jcall-json.md examples/config.sample DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
