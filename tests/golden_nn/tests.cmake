set(golden_nn ${CMAKE_CURRENT_LIST_DIR})
lethe_test(nn_golden ${golden_nn}/test_nn_golden.c ${golden_nn}/golden_array.c ROOMS nn base)
target_include_directories(test_nn_golden PRIVATE ${golden_nn})
target_link_libraries(test_nn_golden PRIVATE nn_testing)
