# The command must not link LibTorch: merely loading it costs 0.4 s and 160 MB.
execute_process(COMMAND readelf --dynamic --wide ${PROGRAM} OUTPUT_VARIABLE dynamic
                COMMAND_ERROR_IS_FATAL ANY)
if(NOT dynamic MATCHES "NEEDED")
  message(FATAL_ERROR "readelf lists no needed libraries of ${PROGRAM}")
endif()
if(dynamic MATCHES "\\[(lib(torch|c10)[^]]*)\\]")
  message(FATAL_ERROR "${PROGRAM} needs ${CMAKE_MATCH_1}; only libcoppice_train.so may")
endif()
