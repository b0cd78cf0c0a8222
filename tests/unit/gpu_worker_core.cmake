farm_add_test(worker_core_test
    SOURCES
        gpu_worker/core/batch_sizes_test.cc
        gpu_worker/core/batcher_test.cc
        gpu_worker/core/class_sizes_test.cc
        gpu_worker/core/kept_results_test.cc
        gpu_worker/core/lease_ledger_test.cc
        gpu_worker/core/learned_batch_size_test.cc
        gpu_worker/core/slices_test.cc
        gpu_worker/core/window_split_test.cc
        gpu_worker/core/worker_direct_test.cc
        gpu_worker/core/worker_machine_test.cc
        gpu_worker/core/worker_storm_test.cc
        "${PROJECT_SOURCE_DIR}/tests/support/worker_rim.cc"
    LINK farm_worker_core farm_lease)
