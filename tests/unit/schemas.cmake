farm_add_test(schemas_test
    SOURCES schemas/cost_curve_test.cc schemas/feature_scales_test.cc schemas/lease_test.cc
            schemas/messages_test.cc
            schemas/same_host_test.cc schemas/service_test.cc schemas/tensor_test.cc
    LINK farm_schemas farm_lease)
