# The SDK as a third party meets it: staged, moved, and built against from outside the tree.
foreach(name install tutorial scaffold)
  add_test(NAME sdk_${name} COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/${name}.sh)
  set_tests_properties(sdk_${name} PROPERTIES TIMEOUT 600 LABELS cli
    ENVIRONMENT "LETHE_BUILD=${CMAKE_BINARY_DIR};LETHE_CMAKE=${CMAKE_COMMAND};CC=${CMAKE_C_COMPILER};LETHE_SANITIZE=${LETHE_SANITIZE}")
endforeach()
# They install from one build folder, and cmake --install writes a manifest there.
set_tests_properties(sdk_install sdk_tutorial sdk_scaffold PROPERTIES RESOURCE_LOCK sdk_install_manifest)
