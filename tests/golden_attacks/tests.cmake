# Attacks against other people's numbers. The folder sorts before golden_plugins, whose helpers these
# tests use: CMake resolves target names at the end.
function(lethe_attack_test name)
  lethe_test(${name} ${CMAKE_CURRENT_SOURCE_DIR}/golden_attacks/test_${name}.c)
  target_link_libraries(test_${name} PRIVATE ${ARGN} fake_host)
endfunction()

lethe_attack_test(member_golden static_rmia static_lira static_u_lira static_attack_p static_attack_r
  static_svc_mia static_song_mittal static_entropy_logistic)
lethe_attack_test(example_golden static_fgsm static_pgd)
lethe_attack_test(score_features)
lethe_test(score_values ${CMAKE_CURRENT_SOURCE_DIR}/golden_attacks/test_score_values.c ROOMS suite)
target_link_libraries(test_score_values PRIVATE fake_host)

# The self-test of an installation: every membership attack on a model that leaks and one that cannot.
add_test(NAME cli_selftest_attacks COMMAND lethe selftest attacks -q)
set_tests_properties(cli_selftest_attacks PROPERTIES TIMEOUT 300 LABELS cli)
