# The SDK as a third party meets it: staged, moved, and built against from outside the tree.
add_test(NAME sdk_install COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/install.sh)
set_tests_properties(sdk_install PROPERTIES TIMEOUT 600 LABELS cli ENVIRONMENT
  "LETHE_BUILD=${CMAKE_BINARY_DIR};LETHE_CMAKE=${CMAKE_COMMAND};CC=${CMAKE_C_COMPILER};LETHE_SANITIZE=${LETHE_SANITIZE}")
