if(FARM_BUILD_BENCH)
    farm_add_test(bench_test
        SOURCES bench/cost/callgrind_profile_test.cc bench/load/closed_loop_test.cc
                bench/load/goal_test.cc bench/load/latencies_test.cc bench/load/load_test.cc
                bench/load/question_test.cc bench/load/series_test.cc
                bench/peers/echo_goals_test.cc bench/peers/echo_plan_test.cc
                bench/peers/http_connection_test.cc bench/peers/row_test.cc bench/service/service_result_test.cc
        LINK farm_bench_cost farm_bench_load farm_bench_peers farm_bench_service
             nlohmann_json::nlohmann_json Threads::Threads)
endif()
