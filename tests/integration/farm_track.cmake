if(FARM_WITH_TORCH)
    add_test(NAME farm_track_integration_test
        COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/farm_track_test.py"
                "$<TARGET_FILE:farm>" "${PROJECT_SOURCE_DIR}")
    farm_set_test_properties(farm_track_integration_test TIMEOUT 300)
endif()
