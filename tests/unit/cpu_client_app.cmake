farm_add_test(farm_tool_test
    SOURCES cpu_client/app/demo_test.cc cpu_client/app/exit_code_test.cc
            cpu_client/app/input_maker_test.cc cpu_client/app/load_driver_test.cc
            cpu_client/app/load_levels_test.cc cpu_client/app/statistics_test.cc
            cpu_client/app/status_text_test.cc cpu_client/app/table_test.cc
            cpu_client/app/track_events_test.cc cpu_client/app/track_report_test.cc
            cpu_client/app/track_service_test.cc
    LINK farm_tool nlohmann_json::nlohmann_json)
