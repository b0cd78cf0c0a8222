farm_add_test(client_library_test
    SOURCES client_library_test.cc
    LINK farm_client farm_ops
    DEPENDS farm-broker farm-worker
    DEFINITIONS "FARM_TEST_BIN_DIR=\"$<TARGET_FILE_DIR:farm-broker>:$<TARGET_FILE_DIR:farm-worker>\""
    TIMEOUT 180)
farm_add_test(direct_test
    SOURCES direct_test.cc
    LINK farm_client farm_net farm_ops
    DEPENDS farm-broker farm-worker
    DEFINITIONS "FARM_TEST_BIN_DIR=\"$<TARGET_FILE_DIR:farm-broker>:$<TARGET_FILE_DIR:farm-worker>\""
    TIMEOUT 180)
farm_add_test(same_host_test
    SOURCES same_host_test.cc
    LINK farm_client farm_net farm_ops
    DEPENDS farm-broker farm-worker
    DEFINITIONS "FARM_TEST_BIN_DIR=\"$<TARGET_FILE_DIR:farm-broker>:$<TARGET_FILE_DIR:farm-worker>\""
    TIMEOUT 180)
