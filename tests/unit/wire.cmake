farm_add_test(wire_test
    SOURCES wire/body_test.cc wire/document_test.cc wire/envelope_test.cc wire/golden_test.cc
            wire/header_test.cc wire/hex.cc wire/packet_test.cc wire/specimens.cc wire/text_test.cc
            wire/token_tape_test.cc
    LINK farm_wire msgpackc-cxx)
