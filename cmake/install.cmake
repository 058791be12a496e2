# `cmake --install build/release --prefix PREFIX`: the program, what it trains with, completions for
# bash, zsh and fish, and man pages, which the program writes from its own options.
include(GNUInstallDirs)
install(TARGETS coppice RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(COPPICE_TRAINING)
  # Where the program looks: the lib folder beside its bin folder.
  install(TARGETS coppice_train_plugin LIBRARY DESTINATION lib)
endif()

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
