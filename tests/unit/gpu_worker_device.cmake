add_library(fake_nvml MODULE gpu_worker/device/fake_nvml.cc)
farm_add_test(device_test
    SOURCES
        gpu_worker/device/memory_limit_test.cc
        gpu_worker/device/nvml_test.cc
        gpu_worker/device/pinned_memory_test.cc
    LINK farm_device
    DEPENDS fake_nvml
    DEFINITIONS FAKE_NVML="$<TARGET_FILE:fake_nvml>")
