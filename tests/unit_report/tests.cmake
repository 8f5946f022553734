foreach(part board interval csv text table figures names html)
  lethe_test(report_${part} ${CMAKE_CURRENT_LIST_DIR}/test_report_${part}.c
    ${CMAKE_CURRENT_LIST_DIR}/fake_results.c ${CMAKE_CURRENT_LIST_DIR}/fake_study.c ROOMS report)
  target_include_directories(test_report_${part} PRIVATE ${CMAKE_CURRENT_LIST_DIR})
endforeach()
lethe_test(tune_score ${CMAKE_CURRENT_LIST_DIR}/test_tune_score.c ${CMAKE_CURRENT_LIST_DIR}/fake_results.c ROOMS report)
target_include_directories(test_tune_score PRIVATE ${CMAKE_CURRENT_LIST_DIR})
