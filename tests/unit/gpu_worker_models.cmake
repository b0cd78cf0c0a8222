farm_add_test(worker_inputs_test
    SOURCES gpu_worker/core/combine_test.cc gpu_worker/core/input_check_test.cc
    LINK farm_worker_core)
farm_add_test(repository_test
    SOURCES gpu_worker/repository/config_test.cc gpu_worker/repository/repository_test.cc
    LINK farm_repository farm_model_config_proto)
farm_add_test(backends_test
    SOURCES
        gpu_worker/backends/name_convention_test.cc
        gpu_worker/backends/reference_backend_test.cc
        gpu_worker/backends/run_failure_test.cc
    LINK farm_backends)
