farm_add_test(event_loop_test SOURCES cpu_client/pipeline/event_loop_test.cc LINK farm_pipeline)
