# The installed package, used by a project that knows nothing else.
add_test(NAME consumer
    COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/consumer.sh" "${PROJECT_BINARY_DIR}"
            "${PROJECT_SOURCE_DIR}/tests/consumer")
farm_set_test_properties(consumer LABELS slow TIMEOUT 600)
