set(client_core_tests
    cpu_client/core/attempt_verdict_test.cc
    cpu_client/core/broker_rotation_test.cc
    cpu_client/core/client_calls_test.cc
    cpu_client/core/client_direct_test.cc
    cpu_client/core/client_session_test.cc
    cpu_client/core/client_transfers_test.cc
    cpu_client/core/direct_demand_test.cc
    cpu_client/core/follow_up_calls_test.cc
    cpu_client/core/retry_budget_test.cc)

farm_add_test(client_core_test SOURCES ${client_core_tests} LINK farm_client_core)
