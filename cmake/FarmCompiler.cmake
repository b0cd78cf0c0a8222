# Language level, warnings, sanitizers, compiler cache and linker: the same for every target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME eventfarm)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()

# GCC's plain -Wshadow objects to an enumerator of an enum class named like something outside.
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic>"
                    "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wshadow=local>"
                    "$<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wshadow>")
# GCC 12 sees uninitialised members in variants that it moves, and overlaps in std::string's
# operator+ (GCC bugs 105562 and 105651): neither is there.
add_compile_options(
    "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized;-Wno-restrict>")
if(FARM_WERROR)
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-Werror>")
endif()

if(FARM_SANITIZE)
    add_compile_options(
        "$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${FARM_SANITIZE};-fno-omit-frame-pointer>")
    add_link_options("-fsanitize=${FARM_SANITIZE}")
endif()
if(FARM_FUZZ)
    if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "FARM_FUZZ is ON (libFuzzer comes with clang) but the compiler is "
                            "${CMAKE_CXX_COMPILER_ID}: use the preset 'fuzz'")
    endif()
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=fuzzer-no-link>")
endif()
if(FARM_PLANT_DEFECT)
    add_compile_definitions(FARM_PLANT_DEFECT)
endif()

# A precompiled header is cacheable only when ccache may overlook its date and its defines. With the
# base folder, another clone finds what this one has compiled.
find_program(FARM_CCACHE ccache)
if(FARM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=true
        "${FARM_CCACHE}")
    set(CMAKE_CUDA_COMPILER_LAUNCHER "${FARM_CCACHE}")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>")
    endif()
endif()

find_program(FARM_MOLD mold)
find_program(FARM_LLD ld.lld)
if(FARM_MOLD)
    add_link_options("-fuse-ld=mold")
elseif(FARM_LLD)
    add_link_options("-fuse-ld=lld")
endif()
