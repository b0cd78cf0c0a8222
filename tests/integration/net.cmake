farm_add_test(net_integration_test
    SOURCES net/alien_test.cc net/bind_test.cc net/curve_test.cc net/link_test.cc
    LINK farm_net cppzmq)
