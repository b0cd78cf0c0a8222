# The target `farm_torch`: libtorch, the distribution's (CPU) or the one under FARM_TORCH_ROOT.
#
# Not find_package(Torch): the wheel's TorchConfig.cmake insists on cuDNN, NCCL and the Python
# packages that bring them, which only a machine that runs the result needs.
#
#   farm_torch_precompile(<target>)   gives a target one precompiled <torch/script.h> (8 s a file)

set(FARM_TORCH_ROOT "" CACHE PATH "Folder of a libtorch: include/ and lib/ (empty: the system's)")
set(torch_hints)
if(FARM_TORCH_ROOT)
    set(torch_hints HINTS "${FARM_TORCH_ROOT}" NO_DEFAULT_PATH)
endif()

find_path(FARM_TORCH_INCLUDE torch/script.h ${torch_hints} PATH_SUFFIXES include REQUIRED)
foreach(library torch torch_cpu c10)
    find_library(FARM_TORCH_LIB_${library} ${library} ${torch_hints} PATH_SUFFIXES lib REQUIRED)
endforeach()

add_library(farm_torch INTERFACE)
target_include_directories(farm_torch SYSTEM INTERFACE
    "${FARM_TORCH_INCLUDE}" "${FARM_TORCH_INCLUDE}/torch/csrc/api/include")
target_link_libraries(farm_torch INTERFACE
    "${FARM_TORCH_LIB_torch}" "${FARM_TORCH_LIB_torch_cpu}" "${FARM_TORCH_LIB_c10}")

# The wheel and Debian's build use the C++11 ABI of libstdc++; older downloads of libtorch do not.
file(STRINGS "${FARM_TORCH_LIB_c10}" cxx11_symbols REGEX "__cxx1112basic_string" LIMIT_COUNT 1)
if(NOT cxx11_symbols)
    message(FATAL_ERROR "${FARM_TORCH_LIB_c10} has no C++11-ABI strings (a pre-C++11-ABI libtorch, "
                        "which cannot be mixed with this project): use the cxx11 build of libtorch")
endif()

if(FARM_WITH_CUDA)
    foreach(library torch_cuda c10_cuda)
        find_library(FARM_TORCH_LIB_${library} ${library} ${torch_hints} PATH_SUFFIXES lib REQUIRED)
    endforeach()
    # Nothing refers to libtorch_cuda by symbol: it registers its kernels when it is loaded.
    target_link_libraries(farm_torch INTERFACE
        "-Wl,--no-as-needed" "${FARM_TORCH_LIB_torch_cuda}" "${FARM_TORCH_LIB_c10_cuda}"
        "-Wl,--as-needed" farm_cuda)
    # cuDNN, NCCL and the rest come with the machine that runs it.
    target_link_options(farm_torch INTERFACE "-Wl,--allow-shlib-undefined")
endif()

function(farm_torch_precompile target)
    target_precompile_headers(${target} PRIVATE <torch/script.h>)
endfunction()
