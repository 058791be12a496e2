# The link graph in CMakeLists.txt is the architecture; this test holds the includes to it.
# And it holds every folder to a size.
#
#   cmake [-DROOT=folder] -P tests/structure/layers_test.cmake
#
# A file of src/NAME may include headers of NAME and of the modules below it: what its coppice_module
# line names under DEPS, and what those name in turn. A *_test.cpp may also include test support and
# any module that stands above its own line. Third-party headers belong to the modules listed here;
# test support that needs GoogleTest stands in tests/support, never in src.
cmake_minimum_required(VERSION 3.22)
if(NOT ROOT)
  get_filename_component(ROOT ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
endif()

# header pattern = modules that may include it
set(third_party
    "^(torch|ATen|c10)/=libtorch"
    "^google/protobuf/|\\.pb\\.h$=onnx"
    "^(oneapi/)?dnnl=runtime"
    "^Eigen/=evidence prune"
    "^nlohmann/=report prune session"
    "^CLI/=cli"
    "^(jpeglib|turbojpeg|png|zlib|lzma)\\.h$=data"
    "^openssl/=core"
    "^(zstd|xxhash)\\.h$=codec")

# What each module may include: below_NAME, filled lowest module first.
set(modules "")
file(READ ${ROOT}/CMakeLists.txt text)
string(REGEX REPLACE "#[^\n]*" "" text "${text}")
string(REGEX MATCHALL "coppice_module\\([^)]*\\)" declarations "${text}")
foreach(declaration IN LISTS declarations)
  string(REGEX REPLACE "coppice_module\\(|\\)" "" words "${declaration}")
  string(REGEX REPLACE "[ \t\n]+" ";" words "${words}")
  cmake_parse_arguments(module "" "" "DEPS;PRIVATE" ${words})
  set(name ${module_UNPARSED_ARGUMENTS})
  set(below_${name} ${name})
  foreach(dep IN LISTS module_DEPS)
    if(NOT dep IN_LIST modules)
      message(SEND_ERROR "module '${name}' names '${dep}' under DEPS, which no line above declares")
    endif()
    list(APPEND below_${name} ${below_${dep}})
  endforeach()
  set(above_line_of_${name} ${modules} ${name})
  list(APPEND modules ${name})
endforeach()
if(NOT modules)
  message(FATAL_ERROR "no coppice_module line found in ${ROOT}/CMakeLists.txt")
endif()

function(check_include file module header quoted)
  if(header MATCHES "^(gtest|gmock)/" AND NOT file MATCHES "_test\\.cpp$")
    message(SEND_ERROR "${file}: includes '${header}'; test support stands in tests/support")
    return()
  endif()
  foreach(rule IN LISTS third_party)
    string(REGEX MATCH "^(.*)=(.*)$" rule "${rule}")
    string(REPLACE " " ";" owners "${CMAKE_MATCH_2}")
    if(header MATCHES "${CMAKE_MATCH_1}")
      if(NOT module IN_LIST owners)
        message(SEND_ERROR "${file}: includes '${header}', which only ${owners} may include")
      endif()
      return()
    endif()
  endforeach()
  if(NOT quoted)
    return()
  endif()

  string(REGEX REPLACE "/.*" "" target "${header}")
  set(allowed ${below_${module}})
  if(file MATCHES "_test\\.cpp$")
    set(allowed ${above_line_of_${module}} support)
  endif()
  if(NOT target IN_LIST allowed)
    list(JOIN allowed ", " allowed)
    message(SEND_ERROR "${file}: includes '${header}', but ${module} may include only: ${allowed}")
  endif()
endfunction()

file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/src/*.h ${ROOT}/src/*.cpp)
foreach(file IN LISTS files)
  string(REGEX REPLACE "^src/([^/]*)/.*" "\\1" module "${file}")
  if(NOT module IN_LIST modules)
    message(SEND_ERROR "${file}: '${module}' has no coppice_module line in CMakeLists.txt")
    continue()
  endif()
  file(STRINGS ${ROOT}/${file} includes REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
  foreach(include IN LISTS includes)
    string(REGEX MATCH "([<\"])([^>\"]*)" include "${include}")
    string(COMPARE EQUAL "${CMAKE_MATCH_1}" "\"" quoted)
    check_include(${file} ${module} "${CMAKE_MATCH_2}" ${quoted})
  endforeach()
endforeach()

# Rooms: a folder says what is in it, so none but the catalogue of operators grows past 25 entries.
set(most 25)
file(GLOB_RECURSE rooms LIST_DIRECTORIES true RELATIVE ${ROOT} ${ROOT}/src/* ${ROOT}/tests/*)
foreach(room IN LISTS rooms)
  if(IS_DIRECTORY ${ROOT}/${room} AND NOT room STREQUAL "src/graph/ops")
    file(GLOB entries ${ROOT}/${room}/*)
    list(LENGTH entries count)
    if(count GREATER most)
      message(SEND_ERROR "${room}: has ${count} entries, expected at most ${most}; give it wings")
    endif()
  endif()
endforeach()
