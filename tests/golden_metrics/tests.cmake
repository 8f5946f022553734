# Metric plugins against numbers that other people's code computed (tests/fixtures), through the
# ABI and a host that shares no code with Lethe's own.
add_library(metric_bench STATIC ${CMAKE_CURRENT_SOURCE_DIR}/golden_metrics/metric_bench.c)
target_link_libraries(metric_bench PUBLIC fake_host PRIVATE lethe_flags)
foreach(part golden brute empty)
  lethe_test(metrics_${part} ${CMAKE_CURRENT_SOURCE_DIR}/golden_metrics/test_metrics_${part}.c)
  target_link_libraries(test_metrics_${part} PRIVATE static_divergence static_ece static_entropy
    static_prediction_shift static_yeom static_zrf static_klom static_forgetting_score
    static_comparator_privacy static_robustness static_transfer static_accuracy static_confidence
    metric_bench)
endforeach()
