# Slips in two of our own unlearners, which the conformance suite has to catch. (run.py seeds slips into
# metrics and runs the unit tests on each: minutes, by hand.)
add_test(NAME mutations_plugin_slips COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/plugin_slips.py
  ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR})
set_tests_properties(mutations_plugin_slips PROPERTIES TIMEOUT 600 LABELS cli
  ENVIRONMENT "CC=${CMAKE_C_COMPILER};LETHE_SANITIZE=${LETHE_SANITIZE}")
