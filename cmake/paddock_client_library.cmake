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

    library_archive(${NAME} KEEP ZOO* zoo_* zookeeper_* zerror is_unrecoverable log_message logLevel
                    allocate_* deallocate_* OBJECTS ${objects})
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
    install(FILES "${CMAKE_BINARY_DIR}/lib/lib${NAME}.a" DESTINATION ${PADDOCK_LIBDIR})
endfunction()

# recipes_library(zookeeper_recipes): libNAME.so.0 and libNAME.a from the room recipes. It needs
# libzookeeper_mt.so.2, from wherever the program that uses it takes that.
function(recipes_library NAME)
    set(map "${CMAKE_SOURCE_DIR}/src/recipes/exports.map")
    add_library(${NAME} SHARED $<TARGET_OBJECTS:recipes>)
    set_target_properties(${NAME} PROPERTIES VERSION 0.1.0 SOVERSION 0 LINK_DEPENDS "${map}"
        LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib" SKIP_BUILD_RPATH TRUE)
    target_link_options(${NAME} PRIVATE "-Wl,--version-script=${map}" -Wl,-z,defs)
    target_link_libraries(${NAME} PRIVATE zookeeper_mt Threads::Threads)
    library_archive(${NAME} KEEP recipe_* OBJECTS $<TARGET_OBJECTS:recipes>)
    add_dependencies(client_libraries ${NAME} ${NAME}_static)
    set(PREFIX "@PREFIX@")
    set(LIBDIR "@LIBDIR@")
    configure_file("${CMAKE_SOURCE_DIR}/src/recipes/library.pc.in" "${CMAKE_BINARY_DIR}/lib/lib${NAME}.pc.in"
                   @ONLY)
    set_property(TARGET client_libraries APPEND PROPERTY PC_FILES "${CMAKE_BINARY_DIR}/lib/lib${NAME}.pc.in")
    install(TARGETS ${NAME} LIBRARY DESTINATION ${PADDOCK_LIBDIR})
    install(FILES "${CMAKE_BINARY_DIR}/lib/lib${NAME}.a" DESTINATION ${PADDOCK_LIBDIR})
endfunction()

# library_archive(NAME KEEP symbol... OBJECTS object...): the target NAME_static makes libNAME.a of one
# object, in which only the symbols named are visible.
function(library_archive NAME)
    cmake_parse_arguments(ARCHIVE "" "" "KEEP;OBJECTS" ${ARGN})
    set(joined "${CMAKE_BINARY_DIR}/lib/${NAME}.o")
    set(archive "${CMAKE_BINARY_DIR}/lib/lib${NAME}.a")
    set(no_lto "")
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        set(no_lto -O2 -flinker-output=nolto-rel)
    endif()
    list(TRANSFORM ARCHIVE_KEEP PREPEND "--keep-global-symbol=")
    add_custom_command(OUTPUT "${archive}" DEPENDS ${ARCHIVE_OBJECTS} VERBATIM COMMAND_EXPAND_LISTS
        COMMAND ${CMAKE_C_COMPILER} -r -nostdlib ${no_lto} -o "${joined}" ${ARCHIVE_OBJECTS}
        COMMAND ${CMAKE_OBJCOPY} --wildcard ${ARCHIVE_KEEP} "${joined}"
        COMMAND ${CMAKE_COMMAND} -E rm -f "${archive}"
        COMMAND ${CMAKE_AR} rcs "${archive}" "${joined}")
    add_custom_target(${NAME}_static DEPENDS "${archive}")
endfunction()
