# Comments and documents cite files; this test holds them to what is there.
#
#   cmake [-DROOT=folder] -P tests/structure/citations_test.cmake
#
# A word ending in .h, .cpp or .md in a `//` comment, or in a document's `backticks`, must be the
# path of a file, or its end.
cmake_minimum_required(VERSION 3.22)
if(NOT ROOT)
  get_filename_component(ROOT ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
endif()

set(folders src tests bench fuzz docs)
set(globs ${ROOT}/*.md)
foreach(folder IN LISTS folders)
  list(APPEND globs ${ROOT}/${folder}/*.h ${ROOT}/${folder}/*.cpp ${ROOT}/${folder}/*.md)
endforeach()
file(GLOB_RECURSE files RELATIVE ${ROOT} ${globs})
list(FILTER files EXCLUDE REGEX "^(build|node_modules)/|/node_modules/")

# Every end of every path, so that a citation is one look-up.
foreach(file IN LISTS files)
  set(end ${file})
  set(slash 0)
  while(NOT slash EQUAL -1)
    set(there_${end} 1)
    string(FIND "${end}" "/" slash)
    math(EXPR after "${slash} + 1")
    string(SUBSTRING "${end}" ${after} -1 end)
  endwhile()
endforeach()

foreach(file IN LISTS files)
  if(file MATCHES "\\.md$")
    set(citing "`[^`]*\\.(h|cpp|md)`")
  else()
    set(citing "//.*\\.(h|cpp|md)")
  endif()
  file(STRINGS ${ROOT}/${file} lines REGEX "${citing}")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "${citing}" comment "${line}")
    string(REGEX REPLACE "[a-z]+://[^ ]*" "" comment "${comment}")
    string(REGEX MATCHALL "[^][ ()`'\",;:{}<>|]+\\.(h|cpp|md)" words "${comment}")
    foreach(word IN LISTS words)
      # A pattern or a placeholder (`<name>.cpp`, NAME.cpp) cites nothing.
      if(NOT word MATCHES "[*]|^[._]|NAME" AND NOT DEFINED there_${word})
        message(SEND_ERROR "${file}: cites '${word}', which isn't there")
      endif()
    endforeach()
  endforeach()
endforeach()
