farm_add_fuzzer(trackml_fuzz SOURCES trackml_fuzz.cc LINK farm_events CORPUS corpus/trackml)
