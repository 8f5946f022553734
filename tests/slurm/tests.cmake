foreach(name slurm_run slurm_outage slurm_control)
  add_test(NAME ${name} COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/${name}.sh)
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS slurm SKIP_RETURN_CODE 77
    ENVIRONMENT "LETHE_BUILD=${CMAKE_BINARY_DIR}")
endforeach()
