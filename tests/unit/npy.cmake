farm_add_test(npy_test SOURCES ops/npy_test.cc LINK farm_ops)
