add_test(NAME programs_test
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/programs_test.py"
            "$<TARGET_FILE:farm>" "$<TARGET_FILE:farm-broker>" "$<TARGET_FILE:farm-worker>")
farm_set_test_properties(programs_test TIMEOUT 300)
