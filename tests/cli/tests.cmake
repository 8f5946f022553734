foreach(name smoothness debug suite_attacks unlearned_shadows attack_files imports suites end_to_end kill_resume bad_plugins bad_suites report programs metric_files verify flags train_predict data)
  add_test(NAME cli_${name} COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/${name}.sh)
  set_tests_properties(cli_${name} PROPERTIES TIMEOUT 600 LABELS cli
    ENVIRONMENT "LETHE_BUILD=${CMAKE_BINARY_DIR}")
endforeach()
# Plugins as strangers write them: budgets, other languages.
foreach(name budgets external plugin_check)
  add_test(NAME cli_${name} COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/${name}.sh)
  set_tests_properties(cli_${name} PROPERTIES TIMEOUT 600 LABELS cli
    ENVIRONMENT "LETHE_BUILD=${CMAKE_BINARY_DIR}")
endforeach()
# Reports once made: the page in a browser, several suites in one.
foreach(name page merge report_courses)
  add_test(NAME cli_${name} COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/${name}.sh)
  set_tests_properties(cli_${name} PROPERTIES TIMEOUT 600 LABELS cli
    ENVIRONMENT "LETHE_BUILD=${CMAKE_BINARY_DIR}")
endforeach()

add_test(NAME cli_report_tables COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/report_tables.sh)
set_tests_properties(cli_report_tables PROPERTIES TIMEOUT 300 LABELS cli
  ENVIRONMENT "LETHE_BUILD=${CMAKE_BINARY_DIR}")
