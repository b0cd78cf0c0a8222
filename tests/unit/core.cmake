farm_add_test(core_test
    SOURCES core/ascending_map_test.cc core/block_allocator_test.cc core/buffer_test.cc
            core/flat_map_test.cc core/incoming_frames_test.cc core/pool_test.cc core/timer_heap_test.cc core/transfer_test.cc
    LINK farm_core rapidcheck)
