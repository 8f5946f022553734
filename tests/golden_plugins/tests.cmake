# Lethe's own plugins, linked statically into tests that bring a host of their own.
set(golden_plugins ${CMAKE_CURRENT_SOURCE_DIR}/golden_plugins)
add_library(fake_host STATIC ${golden_plugins}/fake_host.c ${golden_plugins}/fixture.c
  ${golden_plugins}/net_a.c ${golden_plugins}/trace_host.c)
target_include_directories(fake_host PUBLIC ${golden_plugins})
target_link_libraries(fake_host PUBLIC lethe::plugin m PkgConfig::CMOCKA PRIVATE lethe_flags)

# static_<name>: the plugin with the entry lethe_plugin_entry_<name>
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/plugins/*/*.c)
foreach(source ${sources})
  get_filename_component(name ${source} NAME_WE)
  add_library(static_${name} STATIC EXCLUDE_FROM_ALL ${source})
  target_link_libraries(static_${name} PRIVATE lethe_flags lethe::plugin PUBLIC
    ${LETHE_LIBRARIES_OF_${name}})
  target_compile_definitions(static_${name} PRIVATE LETHE_STATIC_TAG=${name})
endforeach()

function(lethe_plugin_test name)
  lethe_test(${name} ${golden_plugins}/test_${name}.c)
  target_link_libraries(test_${name} PRIVATE ${ARGN} fake_host)
endfunction()

lethe_plugin_test(pgd_nearest static_pgd_l2_nearest)
lethe_plugin_test(rmia_golden)
target_include_directories(test_rmia_golden PRIVATE ${CMAKE_SOURCE_DIR}/plugins)
lethe_plugin_test(unlearners static_retrain static_finetune static_gradient_ascent
  static_random_labels static_amun static_pgd_l2_nearest)
lethe_plugin_test(scores_metrics static_loss_threshold static_accuracy)
lethe_plugin_test(descriptions static_lira static_u_lira static_attack_p static_attack_r
  static_song_mittal static_svc_mia static_entropy_logistic static_fgsm static_u_mia static_mia_nn
  static_retrain static_finetune static_gradient_ascent
  static_random_labels static_amun static_pgd_l2_nearest static_rmia static_loss_threshold
  static_accuracy)
target_compile_definitions(test_descriptions PRIVATE LETHE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
