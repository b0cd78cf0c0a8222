add_test(NAME systemd_units
    COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/verify_units.sh" "${PROJECT_BINARY_DIR}/systemd"
            "${CMAKE_INSTALL_FULL_BINDIR}")
farm_set_test_properties(systemd_units)
set_tests_properties(systemd_units PROPERTIES SKIP_RETURN_CODE 77)
