set(unit_nn ${CMAKE_CURRENT_LIST_DIR})
add_library(nn_testing STATIC EXCLUDE_FROM_ALL ${unit_nn}/nn_testing.c)
target_include_directories(nn_testing PUBLIC ${unit_nn})
target_link_libraries(nn_testing PUBLIC lethe_nn lethe_base PkgConfig::CMOCKA PRIVATE lethe_flags)

foreach(part arch layers conv ties loss optim train)
  lethe_test(nn_${part} ${unit_nn}/test_nn_${part}.c ROOMS nn base)
  target_link_libraries(test_nn_${part} PRIVATE nn_testing)
endforeach()
