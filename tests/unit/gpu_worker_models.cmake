farm_add_test(worker_inputs_test
    SOURCES
        gpu_worker/core/combine_test.cc
        gpu_worker/core/graph_union_test.cc
        gpu_worker/core/input_check_test.cc
        gpu_worker/core/pad_mask_test.cc
        gpu_worker/core/ragged_test.cc
    LINK farm_worker_core)
farm_add_test(repository_test
    SOURCES
        gpu_worker/repository/batch_config_test.cc
        gpu_worker/repository/config_test.cc
        gpu_worker/repository/repository_test.cc
    LINK farm_repository farm_model_config_proto)
farm_add_test(backends_test
    SOURCES
        gpu_worker/backends/device_test.cc
        gpu_worker/backends/name_convention_test.cc
        gpu_worker/backends/reference_backend_test.cc
        gpu_worker/backends/run_failure_test.cc
    LINK farm_backends)
farm_add_test(executor_test SOURCES gpu_worker/app/executor_test.cc LINK farm_worker_app)
if(FARM_WITH_TORCH)
    farm_add_test(torch_ragged_test
        SOURCES gpu_worker/backends/torch_ragged_test.cc
        LINK farm_backends farm_repository farm_torch)
    farm_add_test(torch_cuda_graphs_test
        SOURCES gpu_worker/backends/torch_cuda_graphs_test.cc
        LINK farm_torch_backend farm_torch)
    farm_add_test(torch_device_test
        SOURCES gpu_worker/backends/torch_device_test.cc
        LINK farm_backends farm_device farm_repository farm_torch)
    farm_add_test(tracks_backend_test
        SOURCES gpu_worker/backends/tracks_backend_test.cc
        LINK farm_backends farm_repository farm_torch)
    farm_add_test(torch_writes_test
        SOURCES gpu_worker/backends/torch_writes_test.cc
        LINK farm_backends farm_repository farm_torch)
endif()
farm_add_test(worker_app_test
    SOURCES gpu_worker/app/bench_rows_test.cc gpu_worker/app/sliced_run_test.cc
    LINK farm_worker_app)
# By itself: it changes the malloc of its process.
farm_add_test(process_settings_test
    SOURCES gpu_worker/backends/process_settings_test.cc LINK farm_backends)
