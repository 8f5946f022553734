# The plugin ABI: headers in every language mode, and a snapshot of its layout.
add_executable(abi_layout ${CMAKE_CURRENT_SOURCE_DIR}/abi/abi_layout.c)
target_link_libraries(abi_layout PRIVATE lethe_flags lethe::plugin m)
add_test(NAME abi_layout COMMAND abi_layout --check ${CMAKE_CURRENT_SOURCE_DIR}/abi/offsets.txt)
add_test(NAME abi_headers COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/abi/headers.sh ${CMAKE_SOURCE_DIR}
  ${CMAKE_CURRENT_BINARY_DIR}/abi)
add_test(NAME abi_frozen COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/abi/frozen.sh)
set_tests_properties(abi_frozen PROPERTIES ENVIRONMENT "LETHE_BUILD=${CMAKE_BINARY_DIR};CC=${CMAKE_C_COMPILER}")
set_tests_properties(abi_layout abi_headers abi_frozen PROPERTIES TIMEOUT 300)
