farm_add_test(broker_core_test
    SOURCES broker/core/broker_learning_test.cc broker/core/broker_leases_test.cc
            broker/core/broker_machine_test.cc broker/core/cost_lines_test.cc
            broker/core/offer_table_test.cc broker/core/service_queue_test.cc
            broker/core/shared_ads_test.cc
    LINK farm_broker_core farm_lease)
farm_add_test(broker_memory_test
    SOURCES broker/core/broker_memory_test.cc "${PROJECT_SOURCE_DIR}/tests/support/allocations.cc"
    LINK farm_broker_core)
