# Tests of the plugin room. They run the plugins of plugins/ and tests/plugins/, a probe that looks
# at the host from the plugin's side, and a worker of their own.
set(unit_plugin ${CMAKE_CURRENT_LIST_DIR})
lethe_add_plugin(probe_plugin ${unit_plugin}/probe_plugin.c)
set_target_properties(probe_plugin PROPERTIES
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/unit_plugin)
target_link_libraries(probe_plugin PRIVATE lethe_flags)

add_library(bench_model STATIC ${unit_plugin}/bench_model.c)
target_include_directories(bench_model PUBLIC ${unit_plugin})
target_link_libraries(bench_model PUBLIC lethe_plugin lethe_nn lethe_data lethe_base PRIVATE lethe_flags)
add_executable(mini_worker ${unit_plugin}/mini_worker.c)
target_link_libraries(mini_worker PRIVATE bench_model lethe_flags)

function(lethe_plugin_test name)
  lethe_test(${name} ${unit_plugin}/test_${name}.c ROOMS plugin nn data base)
  target_link_libraries(test_${name} PRIVATE bench_model)
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/include)
  target_compile_definitions(test_${name} PRIVATE
    PLUGIN_DIR="${CMAKE_BINARY_DIR}/lib/lethe-1/plugins" BAD_DIR="${CMAKE_BINARY_DIR}/tests/plugins"
    TEXT_FILE="${CMAKE_CURRENT_LIST_FILE}"
    PROBE="$<TARGET_FILE:probe_plugin>" MINI_WORKER="$<TARGET_FILE:mini_worker>")
  add_dependencies(test_${name} bad_plugins probe_plugin mini_worker accuracy amun finetune
    gradient_ascent loss_threshold pgd_l2_nearest random_labels retrain rmia)
endfunction()
foreach(name child worker_verdicts plugin_words plugin_params plugin_loader plugin_check plugin_discover
        host_unlearn host_probe host_outputs)
  lethe_plugin_test(${name})
endforeach()
