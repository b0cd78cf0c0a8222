farm_add_test(ops_test
    SOURCES ops/config_test.cc ops/host_test.cc ops/log_test.cc ops/metrics_test.cc
            ops/notify_test.cc ops/process_test.cc ops/random_test.cc ops/signals_test.cc
    LINK farm_ops)
