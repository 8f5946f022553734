# Misbehaving plugins for tests of the host: modules in ${CMAKE_BINARY_DIR}/tests/plugins, file
# names as the targets'. The target `bad_plugins` builds all of them.
add_custom_target(bad_plugins)

function(lethe_bad_plugin name source)
  lethe_add_plugin(bad_${name} ${CMAKE_CURRENT_SOURCE_DIR}/plugins/${source})
  set_target_properties(bad_${name} PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/plugins)
  target_link_libraries(bad_${name} PRIVATE lethe_flags)
  target_compile_definitions(bad_${name} PRIVATE ${ARGN})
  add_dependencies(bad_plugins bad_${name})
endfunction()

# file name, id after "test.", function of misbehaving_run.c
foreach(row
    "noop noop noop" "wreck wreck wreck" "segfault segfault segfault" "abort abort abort_in_run"
    "hang hang hang" "exit exit exit_in_run" "nan nan nan_weights" "hog hog hog"
    "write_original write-original write_original" "grandchild grandchild grandchild"
    "peek peek peek" "fail fail fail" "markup markup markup" "mute mute mute" "noisy noisy noisy")
  separate_arguments(row)
  list(GET row 0 name)
  list(GET row 1 id)
  list(GET row 2 behave)
  lethe_bad_plugin(${name} misbehaving_run.c TEST_ID="test.${id}" BEHAVE=${behave})
endforeach()

foreach(what constructor undefined no_entry magic major minor truncated truncated_plugin empty)
  string(TOUPPER ${what} flag)
  string(REPLACE "_" "-" id ${what})
  lethe_bad_plugin(${what} misbehaving_load.c TEST_ID="test.${id}" LOAD_${flag})
endforeach()
# An undefined symbol is what it is for; the linker must let it pass.
target_link_options(bad_undefined PRIVATE -Wl,-z,undefs)

lethe_bad_plugin(outputs misbehaving_outputs.c)

# Well-behaved, from elsewhere.
lethe_bad_plugin(foreign_metric foreign_metric.c)
# Not misbehaving: a metric of a third party, for tests of reports.
lethe_bad_plugin(third_party_metric third_party_metric.c)
