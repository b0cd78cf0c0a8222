farm_add_test(core_transfer_test SOURCES core/transfer_test.cc LINK farm_core)
