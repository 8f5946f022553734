# Fuzzers. In a build with LETHE_SANITIZE=...,fuzzer-no-link (scripts/fuzz makes one) they are libFuzzer
# programs; in any other one they run over the committed corpus, as a test.
set(fuzz_rooms_npy data base)
set(fuzz_rooms_safetensors data base)
set(fuzz_rooms_idx data base)
set(fuzz_rooms_sprite data base)
set(fuzz_rooms_cifar data base)
set(fuzz_rooms_indices data base)
set(fuzz_rooms_suite suite plugin nn data base)
set(fuzz_rooms_manifest suite plugin nn data base)
foreach(name npy safetensors idx sprite cifar indices suite manifest)
  add_executable(fuzz_${name} ${CMAKE_CURRENT_LIST_DIR}/fuzz_${name}.c
    ${CMAKE_CURRENT_LIST_DIR}/fuzz_input.c)
  set(rooms ${fuzz_rooms_${name}})
  list(TRANSFORM rooms PREPEND lethe_)
  target_link_libraries(fuzz_${name} PRIVATE ${rooms} lethe_flags)
  target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  if(LETHE_SANITIZE MATCHES "fuzzer-no-link")
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${name} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/fuzz_replay.c)
    add_test(NAME fuzz_${name}
      COMMAND fuzz_${name} ${CMAKE_CURRENT_LIST_DIR}/corpus/${name})
    set_tests_properties(fuzz_${name} PROPERTIES TIMEOUT 120 LABELS "unit;fuzz"
      ENVIRONMENT "OPENBLAS_NUM_THREADS=1;OMP_NUM_THREADS=1;LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_LIST_DIR}/lsan.supp:print_suppressions=0")
  endif()
endforeach()
