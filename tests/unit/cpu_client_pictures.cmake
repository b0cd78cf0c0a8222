farm_add_test(pictures_test
    SOURCES cpu_client/pictures/event_picture_test.cc cpu_client/pictures/panel_test.cc
            cpu_client/pictures/rate_picture_test.cc cpu_client/pictures/svg_test.cc
    LINK farm_pictures)
