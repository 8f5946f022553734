# Parity with PyTorch through files; skipped, with a count, where python3-torch is missing.
find_program(LETHE_TORCH_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(LETHE_TORCH_PYTHON python3)
foreach(name logits first-step trained accuracy)
  add_test(NAME torch_${name} COMMAND ${LETHE_TORCH_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/parity.py ${name})
endforeach()
add_test(NAME torch_compare COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/compare_once.sh ${LETHE_TORCH_PYTHON})
add_test(NAME torch_strict COMMAND ${LETHE_TORCH_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/strict_loading.py)
set_tests_properties(torch_strict torch_logits torch_first-step torch_trained torch_accuracy torch_compare
  PROPERTIES TIMEOUT 600 LABELS torch SKIP_RETURN_CODE 77
  ENVIRONMENT "LETHE_BUILD=${CMAKE_BINARY_DIR}")
