add_test(NAME check_model_config_proto
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/check_model_config_proto.py"
            "${PROJECT_SOURCE_DIR}/gpu_worker/repository/model_config.proto"
            "$<TARGET_FILE:protobuf::protoc>")
farm_set_test_properties(check_model_config_proto)
set_tests_properties(check_model_config_proto PROPERTIES SKIP_RETURN_CODE 77)
