# The only ways to declare a target of this project. Source paths are relative to the caller.
#
#   farm_add_library(farm_x [PURE] [EXPORTED] SOURCES a.cc... PUBLIC dep... PRIVATE dep...)
#       Static library, also called eventfarm::x. PURE: may link PURE libraries, tl::expected, OpenSSL's hashes,
#       nothing else; checked here. EXPORTED: installed, for users of find_package(eventfarm).
#   farm_add_executable(<target> [INSTALLED] SOURCES ... PRIVATE dep...)
#   farm_add_test(<name> SOURCES x_test.cc... LINK dep... [LABELS l...] [TIMEOUT s]
#                 [DEPENDS target...] [ENVIRONMENT NAME=value...] [DEFINITIONS NAME=value...])
#       GoogleTest executable run as one ctest test; always labelled with its folder's name (unit,
#       sim, ...). Label `slow` keeps it out of the default tier; tests with label `gpu` take turns.
#       DEPENDS: programs that it starts.
#   farm_add_fuzzer(<name> SOURCES x_fuzz.cc... LINK dep... CORPUS folder)
#       With FARM_FUZZ a libFuzzer executable; else a test that runs each file of the corpus.
#   farm_set_exported(target...)    exports a target that was made without these functions

set(FARM_PURE_LIBRARIES tl::expected OpenSSL::Crypto)

function(farm_common_properties target)
    target_include_directories(
        ${target} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>"
                         "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>"
                         "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/eventfarm>")
    target_compile_features(${target} PUBLIC cxx_std_20)
endfunction()

# The libraries that a PURE target names must be PURE; one that is declared later is an error too,
# because the folders are in the order of the map.
function(farm_check_pure target)
    foreach(dependency IN LISTS ARGN)
        set(is_pure FALSE)
        if(dependency IN_LIST FARM_PURE_LIBRARIES)
            set(is_pure TRUE)
        elseif(TARGET ${dependency})
            get_target_property(is_pure ${dependency} FARM_PURE)
        endif()
        if(NOT is_pure)
            message(FATAL_ERROR "'${target}' is PURE and links '${dependency}' (which is not): move "
                                "the code that needs it up to the rim, see ARCHITECTURE.md")
        endif()
    endforeach()
endfunction()

function(farm_set_exported)
    foreach(target IN LISTS ARGN)
        string(REGEX REPLACE "^farm_" "" short_name ${target})
        set_target_properties(${target} PROPERTIES EXPORT_NAME ${short_name})
        set_property(GLOBAL APPEND PROPERTY FARM_EXPORTED_TARGETS ${target})
    endforeach()
endfunction()

function(farm_add_library target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "PURE;EXPORTED" "" "SOURCES;PUBLIC;PRIVATE")
    string(REGEX REPLACE "^farm_" "" short_name ${target})
    if(arg_SOURCES)
        add_library(${target} STATIC ${arg_SOURCES})
        farm_common_properties(${target})
        target_link_libraries(${target} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
    else()
        add_library(${target} INTERFACE)
        target_include_directories(
            ${target} INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>"
                                "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>"
                                "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/eventfarm>")
        target_link_libraries(${target} INTERFACE ${arg_PUBLIC})
    endif()
    add_library(eventfarm::${short_name} ALIAS ${target})
    if(arg_PURE)
        farm_check_pure(${target} ${arg_PUBLIC} ${arg_PRIVATE})
        set_target_properties(${target} PROPERTIES FARM_PURE TRUE)
    endif()
    if(arg_EXPORTED)
        farm_set_exported(${target})
    endif()
endfunction()

function(farm_add_executable target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "INSTALLED" "" "SOURCES;PRIVATE")
    add_executable(${target} ${arg_SOURCES})
    farm_common_properties(${target})
    target_link_libraries(${target} PRIVATE ${arg_PRIVATE})
    if(arg_INSTALLED)
        install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    endif()
endfunction()

function(farm_set_test_properties name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LABELS;ENVIRONMENT")
    cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME kind)
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    set_tests_properties(${name} PROPERTIES LABELS "${kind};${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
                                            ENVIRONMENT "${arg_ENVIRONMENT}")
    if("gpu" IN_LIST arg_LABELS)
        set_tests_properties(${name} PROPERTIES RESOURCE_LOCK gpu)
    endif()
endfunction()

function(farm_add_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT"
                          "SOURCES;LINK;LABELS;DEPENDS;ENVIRONMENT;DEFINITIONS")
    add_executable(${name} ${arg_SOURCES})
    farm_common_properties(${name})
    target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gtest_main)
    target_compile_definitions(${name} PRIVATE ${arg_DEFINITIONS})
    if(arg_DEPENDS)
        add_dependencies(${name} ${arg_DEPENDS})
    endif()
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    farm_set_test_properties(${name} TIMEOUT ${arg_TIMEOUT} LABELS ${arg_LABELS}
                             ENVIRONMENT ${arg_ENVIRONMENT})
endfunction()

function(farm_add_fuzzer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORPUS" "SOURCES;LINK;LABELS")
    if(FARM_FUZZ)
        add_executable(${name} ${arg_SOURCES})
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        add_executable(${name} ${arg_SOURCES} "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus_main.cc")
        cmake_path(ABSOLUTE_PATH arg_CORPUS OUTPUT_VARIABLE corpus)
        add_test(NAME ${name} COMMAND ${name} "${corpus}")
        farm_set_test_properties(${name} LABELS ${arg_LABELS})
    endif()
    farm_common_properties(${name})
    target_link_libraries(${name} PRIVATE ${arg_LINK})
endfunction()
