# client_library(zookeeper_mt ROOM capi/mt)
#   libNAME.so.2 and libNAME.a from the rooms capi and ROOM and what they use. Only the public names are
#   visible: a program may have functions of its own with the names of ours.
function(client_library NAME)
    cmake_parse_arguments(LIBRARY "" "ROOM" "" ${ARGN})
    string(REPLACE "/" "_" room "${LIBRARY_ROOM}")
    set(map "${CMAKE_SOURCE_DIR}/src/capi/exports.map")
    set(objects $<TARGET_OBJECTS:capi> $<TARGET_OBJECTS:${room}> $<TARGET_OBJECTS:client>
        $<TARGET_OBJECTS:wire> $<TARGET_OBJECTS:base>)
    add_library(${NAME} SHARED ${objects})
    set_target_properties(${NAME} PROPERTIES VERSION 2.0.0 SOVERSION 2 LINK_DEPENDS "${map}"
        LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
    target_link_options(${NAME} PRIVATE "-Wl,--version-script=${map}")
    target_link_libraries(${NAME} PRIVATE Threads::Threads)

    set(joined "${CMAKE_BINARY_DIR}/lib/${NAME}.o")
    set(archive "${CMAKE_BINARY_DIR}/lib/lib${NAME}.a")
    set(no_lto "")
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        set(no_lto -O2 -flinker-output=nolto-rel)
    endif()
    add_custom_command(OUTPUT "${archive}" DEPENDS ${objects} COMMAND_EXPAND_LISTS
        COMMAND ${CMAKE_C_COMPILER} -r -nostdlib ${no_lto} -o "${joined}" ${objects}
        COMMAND ${CMAKE_OBJCOPY} --wildcard "--keep-global-symbol=ZOO*"
                "--keep-global-symbol=zoo_*" "--keep-global-symbol=zookeeper_*"
                "--keep-global-symbol=zerror" "--keep-global-symbol=is_unrecoverable"
                "--keep-global-symbol=log_message" "--keep-global-symbol=logLevel"
                "--keep-global-symbol=allocate_*" "--keep-global-symbol=deallocate_*" "${joined}"
        COMMAND ${CMAKE_COMMAND} -E rm -f "${archive}"
        COMMAND ${CMAKE_AR} rcs "${archive}" "${joined}")
    add_custom_target(${NAME}_static DEPENDS "${archive}")
    add_dependencies(client_libraries ${NAME} ${NAME}_static)

    # Twice filled in: here with what the library is, at installation with where it is.
    set(CLIENT_LIBRARY_NAME ${NAME})
    set(PREFIX "@PREFIX@")
    set(LIBDIR "@LIBDIR@")
    file(STRINGS "${CMAKE_SOURCE_DIR}/include/zookeeper/zookeeper_version.h" version REGEX ZOO_VERSION)
    string(REGEX REPLACE ".*\"(.*)\".*" "\\1" CLIENT_API_VERSION "${version}")
    configure_file("${CMAKE_SOURCE_DIR}/src/capi/library.pc.in" "${CMAKE_BINARY_DIR}/lib/lib${NAME}.pc.in"
                   @ONLY)
    set_property(TARGET client_libraries APPEND PROPERTY PC_FILES "${CMAKE_BINARY_DIR}/lib/lib${NAME}.pc.in")
    install(TARGETS ${NAME} LIBRARY DESTINATION ${PADDOCK_LIBDIR})
    install(FILES "${archive}" DESTINATION ${PADDOCK_LIBDIR})
endfunction()
