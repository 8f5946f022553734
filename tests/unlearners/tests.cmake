# The unlearners through the real host, and their mathematics. Every method of plugins/unlearners.
set(unlearners_dir ${CMAKE_CURRENT_LIST_DIR})
file(GLOB unlearner_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/plugins/unlearners/*.c)
set(unlearner_names)
foreach(source ${unlearner_sources})
  get_filename_component(name ${source} NAME_WE)
  list(APPEND unlearner_names ${name})
endforeach()

add_library(unlearn_bench STATIC ${unlearners_dir}/unlearn_bench.c)
target_include_directories(unlearn_bench PUBLIC ${unlearners_dir} ${CMAKE_SOURCE_DIR}/tests/unit_plugin)
target_link_libraries(unlearn_bench PUBLIC bench_model PkgConfig::CMOCKA PRIVATE lethe_flags)
target_compile_definitions(unlearn_bench PRIVATE
  PLUGIN_DIR="${CMAKE_BINARY_DIR}/lib/lethe-1/plugins")
add_dependencies(unlearn_bench ${unlearner_names} pgd_l2_nearest)

foreach(name unlearn_identities unlearn_masks unlearn_amun unlearn_influence unlearn_threads unlearn_requests
        unlearner_words)
  lethe_test(${name} ${unlearners_dir}/test_${name}.c ROOMS plugin nn data base)
  target_link_libraries(test_${name} PRIVATE unlearn_bench)
endforeach()
target_compile_definitions(test_unlearner_words PRIVATE
  SOURCES="${CMAKE_SOURCE_DIR}/plugins/unlearners")
lethe_test(unlearn_math ${unlearners_dir}/test_unlearn_math.c ROOMS base)
target_link_libraries(test_unlearn_math PRIVATE lethe::plugin m)
target_include_directories(test_unlearn_math PRIVATE ${CMAKE_SOURCE_DIR}/plugins)
lethe_test(model_head ${unlearners_dir}/test_model_head.c ROOMS nn data base)
target_include_directories(test_model_head PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit_plugin)
target_link_libraries(test_model_head PRIVATE bench_model)
