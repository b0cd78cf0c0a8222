# The simulation, without a broker: it is linked with the real one, and with the one that has a
# planted defect (its checker must find that).
farm_add_library(farm_sim_world
    SOURCES broker_node.cc client_node.cc describe.cc farm.cc faults.cc history.cc listener.cc network.cc
            payloads.cc worker_node.cc
    PUBLIC farm_schemas farm_worker_core farm_client_core)

set(broker_core "${PROJECT_SOURCE_DIR}/broker/core")
file(GLOB broker_core_files CONFIGURE_DEPENDS "${broker_core}/*.cc")
farm_add_library(farm_broker_core_defective
    SOURCES ${broker_core_files} PUBLIC farm_schemas PRIVATE farm_lease)
target_compile_definitions(farm_broker_core_defective PRIVATE FARM_PLANT_DEFECT)

farm_add_executable(farm_sim SOURCES main.cc PRIVATE farm_sim_world farm_broker_core)
farm_add_test(farm_sim_test
    SOURCES farm_sim_test.cc LINK farm_sim_world farm_broker_core TIMEOUT 300)
farm_add_test(farm_sim_canary
    SOURCES farm_sim_canary_test.cc LINK farm_sim_world farm_broker_core_defective TIMEOUT 300)
