farm_add_test(net_test
    SOURCES net/allow_list_test.cc net/bounded_queue_test.cc net/brokers_test.cc net/curve_test.cc
            net/frame_test.cc net/identity_test.cc net/poller_test.cc
            net/same_host/same_host_links_test.cc net/same_host/shared_arena_test.cc
            net/same_host/shared_region_test.cc net/url_test.cc
    LINK farm_net cppzmq)
