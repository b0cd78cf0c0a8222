farm_add_test(client_scenario_test
    SOURCES client/client_scenario_test.cc client/transcript.cc LINK farm_client_core)
