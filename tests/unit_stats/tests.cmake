lethe_test(stats_tests ${CMAKE_CURRENT_LIST_DIR}/test_stats_tests.c ROOMS base)
lethe_test(stats_compare ${CMAKE_CURRENT_LIST_DIR}/test_stats_compare.c
  ${CMAKE_CURRENT_SOURCE_DIR}/unit_report/fake_results.c ROOMS report)
target_include_directories(test_stats_compare PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit_report)
# Studies with known truth: the test runs few of them; the program prints the table of
# docs/METRICS.md with as many as are asked for.
lethe_test(stats_studies ${CMAKE_CURRENT_LIST_DIR}/simulate_studies.c ROOMS report)
