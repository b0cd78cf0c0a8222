farm_add_test(worker_scenario_test
    SOURCES
        worker/worker_scenario_test.cc
        worker/transcript.cc
        "${PROJECT_SOURCE_DIR}/tests/support/worker_rim.cc"
    LINK farm_worker_core)
