set(farm_test_programs
    "FARM_TEST_BIN_DIR=\"$<TARGET_FILE_DIR:farm-broker>:$<TARGET_FILE_DIR:farm-worker>\"")

if(FARM_WITH_TORCH)
    farm_add_test(real_models_test
        SOURCES real_models_test.cc
        LINK farm_client farm_events farm_ops farm_tracking
        DEPENDS farm-broker farm-worker
        DEFINITIONS ${farm_test_programs})
    farm_add_test(tracks_test
        SOURCES tracks_test.cc
        LINK farm_backends farm_client farm_events farm_ops farm_repository
        DEPENDS farm-broker farm-worker
        DEFINITIONS ${farm_test_programs})
endif()
farm_add_test(batch_size_test
    SOURCES batch_size_test.cc
    LINK farm_client farm_ops
    DEPENDS farm-broker farm-worker
    DEFINITIONS ${farm_test_programs})
farm_add_test(load_test
    SOURCES load_test.cc
    LINK farm_client farm_ops
    DEPENDS farm-broker farm-worker
    DEFINITIONS ${farm_test_programs}
    LABELS slow
    TIMEOUT 600)
