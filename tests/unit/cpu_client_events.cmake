farm_add_test(events_test
    SOURCES cpu_client/events/detector_test.cc cpu_client/events/digitisation_test.cc
            cpu_client/events/generator_test.cc cpu_client/events/helix_test.cc
            cpu_client/events/hit_features_test.cc cpu_client/events/hit_weights_test.cc
            cpu_client/events/material_test.cc
            cpu_client/events/particle_gun_test.cc
            cpu_client/events/propagation_test.cc cpu_client/events/quantiles_test.cc
            cpu_client/events/random_stream_test.cc cpu_client/events/secondaries_test.cc
            cpu_client/events/space_points_test.cc cpu_client/events/track_labels_test.cc
            cpu_client/events/trackml_csv_test.cc cpu_client/events/truth_metrics_test.cc
    LINK farm_events TBB::tbb)
