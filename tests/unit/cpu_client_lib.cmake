farm_add_test(client_lib_test
    SOURCES cpu_client/lib/inference_test.cc cpu_client/lib/loop_turns_test.cc
    LINK farm_client farm_ops)
