# CUDA language and the target `farm_cuda` (runtime). From the T4 (7.5) to the B200 (10.0), and PTX
# of the newest for what comes after.

if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 90-real 100)
endif()
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX} AND EXISTS /usr/local/cuda/bin/nvcc)
    set(CMAKE_CUDA_COMPILER /usr/local/cuda/bin/nvcc)
endif()
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc 12 has it
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
string(APPEND CMAKE_CUDA_FLAGS " --extended-lambda")
find_package(CUDAToolkit REQUIRED)

add_library(farm_cuda INTERFACE)
target_link_libraries(farm_cuda INTERFACE CUDA::cudart)
target_compile_definitions(farm_cuda INTERFACE FARM_HAS_CUDA)
