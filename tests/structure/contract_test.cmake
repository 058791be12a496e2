# The contract's digits follow every header that the trainer's library shares with the program, and
# nothing else.
#
#   cmake -DWORK_DIR=folder -P tests/structure/contract_test.cmake
cmake_minimum_required(VERSION 3.22)
get_filename_component(root ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
include(${root}/cmake/contract.cmake)
set(tree ${WORK_DIR}/contract)

function(write_tree)
  file(REMOVE_RECURSE ${tree})
  file(WRITE ${tree}/training/trainer.h "#include <map>\n#include \"core/tensor.h\"\nint step();\n")
  file(WRITE ${tree}/core/tensor.h "#include \"training/trainer.h\"\n  #include \"core/shape.h\"\n")
  file(WRITE ${tree}/core/shape.h "struct Shape { int rank; };\n")
  file(WRITE ${tree}/core/other.h "int other;\n")
endfunction()

function(expect_after file text same)
  write_tree()
  coppice_contract(before ${tree} training/trainer.h)
  file(WRITE ${tree}/${file} "${text}")
  coppice_contract(after ${tree} training/trainer.h)
  string(COMPARE EQUAL ${before} ${after} found)
  if((found AND NOT same) OR (same AND NOT found))
    message(SEND_ERROR "${file} as '${text}': digits ${before} and then ${after}")
  endif()
endfunction()

expect_after(core/shape.h "struct Shape { int rank, size; };\n" FALSE)
expect_after(core/shape.h "struct Shape { int rank; };\n" TRUE)
expect_after(training/trainer.h "#include \"core/tensor.h\"\nint step(int);\n" FALSE)
expect_after(core/other.h "long other;\n" TRUE)

# Of the real one.
file(READ ${root}/CMakeLists.txt text)
string(REGEX MATCH "coppice_contract\\(([^)]*)\\)" call "${text}")
string(REGEX REPLACE "[ \t\n]+" ";" words "${CMAKE_MATCH_1}")
list(SUBLIST words 2 -1 roots)
coppice_contract(real ${root}/src ${roots})
foreach(header training/trainer.h training/recipe.h data/images/augment.h core/tensor.h core/error.h
               graph/graph.h graph/attributes.h graph/op.h)
  if(NOT header IN_LIST real_HEADERS)
    message(SEND_ERROR "${header} isn't part of the contract: ${real_HEADERS}")
  endif()
endforeach()
