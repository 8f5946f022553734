add_test(NAME lint_layers COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/layers.sh)
set_tests_properties(lint_layers PROPERTIES TIMEOUT 120 LABELS lint
  ENVIRONMENT "LETHE_BUILD=${CMAKE_BINARY_DIR};CC=${CMAKE_C_COMPILER}")
