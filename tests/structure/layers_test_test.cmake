# Shows that layers_test.cmake catches what it is there for, on a tree of four tiny modules.
cmake_minimum_required(VERSION 3.22)
set(root ${WORK_DIR}/layers)

function(write_tree)
  file(REMOVE_RECURSE ${root})
  file(WRITE ${root}/CMakeLists.txt
       "# coppice_module(commented)\ncoppice_module(core)\ncoppice_module(data\n  DEPS core PRIVATE Z::Z)\n"
       "coppice_module(graph DEPS core)\ncoppice_module(cli DEPS graph)\n")
  file(WRITE ${root}/src/data/d.h "#include \"core/a.h\"\n#include <png.h>\n#include <vector>\n")
  file(WRITE ${root}/src/cli/main.cpp "#include <CLI/CLI.hpp>\n#include \"core/a.h\"\n")
  file(WRITE ${root}/src/graph/graph_test.cpp
       "#include <gtest/gtest.h>\n#include \"data/d.h\"\n#include \"support/temp_dir.h\"\n")
endfunction()

function(expect_failure file text message)
  write_tree()
  file(WRITE ${root}/${file} "${text}\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${root} -P ${CMAKE_CURRENT_LIST_DIR}/layers_test.cmake
                  RESULT_VARIABLE result ERROR_VARIABLE errors)
  string(REGEX REPLACE "[ \n]+" " " errors "${errors}")
  string(FIND "${errors}" "${file}: ${message}" found)
  if(result EQUAL 0 OR found EQUAL -1)
    message(SEND_ERROR "'${text}' in ${file}: expected '${message}', got '${errors}'")
  endif()
endfunction()

write_tree()
execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${root} -P ${CMAKE_CURRENT_LIST_DIR}/layers_test.cmake
                COMMAND_ERROR_IS_FATAL ANY)

expect_failure(src/core/up.h "#include \"graph/g.h\"" "includes 'graph/g.h'")
expect_failure(src/graph/side.cpp "#include \"data/d.h\"" "includes 'data/d.h'")
expect_failure(src/graph/up_test.cpp "#include \"cli/c.h\"" "includes 'cli/c.h'")
expect_failure(src/graph/sub/support.cpp "  # include \"support/temp_dir.h\"" "includes 'support")
expect_failure(src/graph/proto.cpp "#include <onnx.pb.h>" "includes 'onnx.pb.h', which only onnx")
expect_failure(src/cli/torch.h "#include <torch/torch.h>" "includes 'torch/torch.h'")
expect_failure(src/graph/fake_graph.h "#include <gtest/gtest.h>" "includes 'gtest/gtest.h'; test")
expect_failure(src/codec/container/codec.h "" "'codec' has no coppice_module line")
