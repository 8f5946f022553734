foreach(part misc text words fs csv json yaml yaml_set rng par stats)
  lethe_test(base_${part} ${CMAKE_CURRENT_LIST_DIR}/test_base_${part}.c ROOMS base)
endforeach()
lethe_test(base_stats_golden ${CMAKE_CURRENT_LIST_DIR}/test_base_stats_golden.c ROOMS data base)
