# coppice_module(NAME [DEPS module ...] [PRIVATE library ...])
#
# Builds src/NAME/**.cpp into the static library coppice_NAME (but for main.cpp, which belongs to a
# program, and plugin.cpp and exports.cpp, to shared objects), and every *_test.cpp beside the sources into the test program NAME_test.
# tests/structure/layers_test.cmake reads these lines to check the includes. The global property
# COPPICE_MODULES lists the libraries built so far.
function(coppice_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;PRIVATE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main|/plugin|/exports)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

  add_library(coppice_${name} STATIC ${sources})
  set_property(GLOBAL APPEND PROPERTY COPPICE_MODULES coppice_${name})
  target_include_directories(coppice_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  set_target_properties(coppice_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(coppice_${name} PUBLIC coppice_${dep})
  endforeach()
  target_link_libraries(coppice_${name} PRIVATE ${ARG_PRIVATE})

  if(COPPICE_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_compile_options(${name}_test PRIVATE ${COPPICE_COLD})
    target_link_libraries(${name}_test PRIVATE coppice_${name} ${ARG_PRIVATE} GTest::gtest_main)
    if(TARGET coppice_test_support)
      target_link_libraries(${name}_test PRIVATE coppice_test_support)
    endif()
    add_test(NAME ${name} COMMAND ${name}_test)
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT COPPICE_VERIFY_PASSES=1
    XDG_CACHE_HOME=${CMAKE_BINARY_DIR}/cache)
  endif()
endfunction()
