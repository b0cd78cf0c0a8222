farm_add_test(schemas_test
    SOURCES schemas/messages_test.cc schemas/service_test.cc schemas/tensor_test.cc
    LINK farm_schemas)
