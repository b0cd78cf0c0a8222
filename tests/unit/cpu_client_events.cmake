farm_add_test(events_test
    SOURCES cpu_client/events/candidate_edges_test.cc cpu_client/events/components_test.cc
            cpu_client/events/space_points_test.cc
    LINK farm_events)
