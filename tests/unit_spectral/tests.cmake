set(unit_spectral ${CMAKE_CURRENT_LIST_DIR})
add_library(spectral_testing STATIC EXCLUDE_FROM_ALL ${unit_spectral}/dense_svd.c
  ${unit_spectral}/toy_images.c)
target_include_directories(spectral_testing PUBLIC ${unit_spectral})
target_link_libraries(spectral_testing PUBLIC nn_testing PRIVATE lethe_flags)

foreach(part spectral_norm spectral_golden spectral_clip lotos)
  lethe_test(${part} ${unit_spectral}/test_${part}.c ${golden_nn}/golden_array.c ROOMS nn base)
  target_include_directories(test_${part} PRIVATE ${golden_nn})
  target_link_libraries(test_${part} PRIVATE spectral_testing)
endforeach()
