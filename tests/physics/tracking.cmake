farm_add_test(tracking_reference_test SOURCES tracking_reference_test.cc LINK farm_tracking)
if(FARM_WITH_TORCH)
    farm_add_test(track_networks_test SOURCES track_networks_test.cc LINK farm_backends)
    farm_add_test(twin_networks_test
        SOURCES twin_networks_test.cc
        LINK farm_backends farm_events farm_repository farm_torch)
endif()
