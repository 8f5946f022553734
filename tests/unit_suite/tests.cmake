lethe_test(store ${CMAKE_CURRENT_LIST_DIR}/test_store.c ROOMS suite plugin nn)
lethe_test(plan ${CMAKE_CURRENT_LIST_DIR}/test_plan.c ROOMS suite plugin nn)
lethe_test(task_files ${CMAKE_CURRENT_LIST_DIR}/test_task_files.c ROOMS suite plugin nn)
lethe_test(robust_values ${CMAKE_CURRENT_LIST_DIR}/test_robust_values.c
           ${CMAKE_CURRENT_LIST_DIR}/../golden_nn/golden_array.c ROOMS suite plugin nn)
lethe_test(tune_space ${CMAKE_CURRENT_LIST_DIR}/test_tune_space.c ROOMS suite plugin nn)
lethe_test(slurm_queue ${CMAKE_CURRENT_LIST_DIR}/test_slurm_queue.c ROOMS suite plugin nn)
lethe_test(unlearned_shadow ${CMAKE_CURRENT_LIST_DIR}/test_unlearned_shadow.c ROOMS suite plugin nn)
