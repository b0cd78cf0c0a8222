farm_add_test(tracking_test
    SOURCES
        gpu_worker/tracking/connected_components_test.cc
        gpu_worker/tracking/doublet_graph_test.cc
        gpu_worker/tracking/edge_classifier_test.cc
        gpu_worker/tracking/edge_cut_test.cc
        gpu_worker/tracking/nearest_edges_test.cc
        gpu_worker/tracking/radius_graph_test.cc
        gpu_worker/tracking/tile_distance_test.cc
        gpu_worker/tracking/track_finder_test.cc
        gpu_worker/tracking/twin/shuffled_twin_test.cc
        gpu_worker/tracking/walkthrough_test.cc
    LINK farm_tracking rapidcheck TBB::tbb)
if(FARM_WITH_CUDA)
    farm_add_test(cuda_twin_test
        SOURCES gpu_worker/tracking/twin/cuda_twin_test.cu
        LINK farm_tracking farm_cuda
        LABELS gpu
        TIMEOUT 600)
endif()
