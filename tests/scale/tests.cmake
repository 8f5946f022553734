# Suites at scale: tuning, requests, events, hostile files, kills, what a change plans again.
foreach(name tune consecutive events hostile_suites kill_often invalidation full_disk)
  add_test(NAME cli_${name} COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/${name}.sh)
  set_tests_properties(cli_${name} PROPERTIES TIMEOUT 600 LABELS cli
    ENVIRONMENT "LETHE_BUILD=${CMAKE_BINARY_DIR}")
endforeach()
set_tests_properties(cli_kill_often PROPERTIES
  ENVIRONMENT "LETHE_BUILD=${CMAKE_BINARY_DIR};KILLS=6") # 20 by hand
set_tests_properties(cli_full_disk PROPERTIES SKIP_RETURN_CODE 77)
lethe_test(exec_parts ${CMAKE_CURRENT_LIST_DIR}/test_exec_parts.c ROOMS suite plugin nn)
