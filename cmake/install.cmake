# `cmake --install build/release --prefix PREFIX`: the program, what it trains with, completions for
# bash, zsh and fish, and man pages, which the program writes from its own options; and the C API
# with what find_package(CoppiceRuntime) and pkg-config read. All of it may be moved as a whole.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
install(TARGETS coppice RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(COPPICE_TRAINING)
  # Where the program looks: the lib folder beside its bin folder.
  install(TARGETS coppice_train_plugin LIBRARY DESTINATION lib)
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/CoppiceRuntime)
install(TARGETS coppice_runtime_library EXPORT CoppiceRuntimeTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT CoppiceRuntimeTargets NAMESPACE Coppice:: DESTINATION ${package_dir})
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/CoppiceRuntimeConfig.cmake.in
  ${CMAKE_BINARY_DIR}/CoppiceRuntimeConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/CoppiceRuntimeConfigVersion.cmake
                                 COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/CoppiceRuntimeConfig.cmake
              ${CMAKE_BINARY_DIR}/CoppiceRuntimeConfigVersion.cmake DESTINATION ${package_dir})
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" prefix_from_pc "${prefix_from_pc}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/coppice_runtime.pc.in
               ${CMAKE_BINARY_DIR}/coppice_runtime.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/coppice_runtime.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(share ${CMAKE_INSTALL_DATAROOTDIR})
install(CODE "set(program \"$<TARGET_FILE:coppice>\")")
install(CODE "set(share \"${share}\")")
install(CODE [[
  set(root "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${share}")
  function(write_for what file)
    execute_process(COMMAND "${program}" help --for "${what}" OUTPUT_VARIABLE text
                    COMMAND_ERROR_IS_FATAL ANY)
    message(STATUS "Installing: ${root}/${file}")
    file(WRITE "${root}/${file}" "${text}")
  endfunction()
  write_for(bash bash-completion/completions/coppice)
  write_for(zsh zsh/site-functions/_coppice)
  write_for(fish fish/vendor_completions.d/coppice.fish)
  write_for(man man/man1/coppice.1)
  execute_process(COMMAND "${program}" help --names OUTPUT_VARIABLE names
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" names "${names}")
  foreach(name IN LISTS names)
    write_for("man:${name}" "man/man1/coppice-${name}.1")
  endforeach()
]])
