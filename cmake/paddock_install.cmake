# What `make install` puts where; docs/operations.md shows the result.
#
# PREFIX/share/paddock is laid out as ZooKeeper's release is (bin, conf, logs), so that the scripts find
# their things as they do there; PREFIX/bin has links to the scripts. Below a prefix other than /usr
# the configuration is in PREFIX/etc and the logs are in PREFIX/var.
set(PADDOCK_LIBDIR "lib" CACHE STRING "where libraries go, below the prefix")

function(paddock_install)
    set(home share/paddock)
    set(doc share/doc/paddock)
    install(TARGETS paddock RUNTIME DESTINATION bin)
    file(GLOB scripts CONFIGURE_DEPENDS "bin/zk*.sh")
    list(FILTER scripts EXCLUDE REGEX "/zkEnv.sh$")
    install(PROGRAMS ${scripts} DESTINATION ${home}/bin)
    install(FILES bin/zkEnv.sh DESTINATION ${home}/bin)
    install(FILES packaging/paddock.sysusers DESTINATION lib/sysusers.d RENAME paddock.conf)

    install(FILES LICENSE NOTICE README.md README.zh-CN.md DESTINATION ${doc})
    install(DIRECTORY docs/ DESTINATION ${doc}/docs FILES_MATCHING PATTERN "*.md" PATTERN "man" EXCLUDE)
    file(GLOB pages CONFIGURE_DEPENDS "docs/man/*.1")
    install(FILES ${pages} DESTINATION share/man/man1)
    # completions/NAME.bash for the command NAME, completions/_NAME for zsh.
    file(GLOB completions CONFIGURE_DEPENDS "completions/*.bash")
    foreach(file IN LISTS completions)
        get_filename_component(name "${file}" NAME)
        string(REGEX REPLACE "\\.bash$" "" name "${name}")
        install(FILES "${file}" DESTINATION share/bash-completion/completions RENAME "${name}")
    endforeach()
    file(GLOB completions CONFIGURE_DEPENDS "completions/_*")
    install(FILES ${completions} DESTINATION share/zsh/site-functions)

    set(names "")
    foreach(script IN LISTS scripts)
        get_filename_component(name "${script}" NAME)
        list(APPEND names "${name}")
    endforeach()
    install(CODE "set(source \"${CMAKE_SOURCE_DIR}\")\nset(build \"${CMAKE_BINARY_DIR}\")\n\
set(scripts \"${names}\")\nset(libdir \"${PADDOCK_LIBDIR}\")\nset(pcs \"$<JOIN:$<TARGET_PROPERTY:client_libraries,PC_FILES>,;>\")")
    install(SCRIPT "${CMAKE_SOURCE_DIR}/cmake/paddock_install_prefix.cmake")
endfunction()
