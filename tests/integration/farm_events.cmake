add_test(NAME farm_events_integration_test
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/farm_events_test.py"
            "$<TARGET_FILE:farm>" "${PROJECT_SOURCE_DIR}")
farm_set_test_properties(farm_events_integration_test)
