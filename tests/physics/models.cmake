if(FARM_WITH_TORCH)
    farm_add_test(gnn_reference_test
        SOURCES gnn_reference_test.cc
        LINK farm_backends farm_repository)
    farm_add_test(particlenet_test
        SOURCES particlenet_test.cc
        LINK farm_backends farm_model_config_proto farm_repository)
endif()
