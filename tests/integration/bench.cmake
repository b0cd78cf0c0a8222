if(FARM_BUILD_BENCH AND FARM_WITH_TORCH AND NOT FARM_SANITIZE)
    add_test(NAME bench_integration_test
        COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/bench_test.py"
                "$<TARGET_FILE:farm_peers>" "$<TARGET_FILE:farm_cost>"
                "$<TARGET_FILE:farm_interference>" "$<TARGET_FILE:farm_service>" "${PROJECT_SOURCE_DIR}")
    farm_set_test_properties(bench_integration_test LABELS slow TIMEOUT 600)
endif()
