farm_add_fuzzer(header_fuzz
    SOURCES header_fuzz.cc wire_checks.cc
    LINK farm_wire
    CORPUS corpus/header)
farm_add_fuzzer(body_fuzz
    SOURCES body_fuzz.cc wire_checks.cc
    LINK farm_wire
    CORPUS corpus/body)
farm_add_fuzzer(packet_fuzz SOURCES packet_fuzz.cc LINK farm_wire CORPUS corpus/packet)
farm_add_test(wire_mutation_test SOURCES wire_mutation_test.cc wire_checks.cc LINK farm_wire)
