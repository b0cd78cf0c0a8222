# Every third-party library of the project, found once and visible in all folders. What to link:
#   tl::expected                  result type            (the only one a PURE library may link)
#   cppzmq                        libzmq + cppzmq        common/net
#   msgpackc-cxx                  msgpack                common/wire
#   spdlog::spdlog fmt::fmt       logging                common/ops
#   yaml-cpp CLI11::CLI11         configuration          common/ops
#   prometheus-cpp::pull          metrics                common/ops
#   PkgConfig::systemd            readiness, watchdog    common/ops
#   nlohmann_json::nlohmann_json  JSON for people and scripts
#   protobuf::libprotobuf         config.pbtxt           gpu_worker/repository
#   OpenSSL::Crypto               checksums              gpu_worker/repository
#   TBB::tbb                      event pipeline, tracking  cpu_client/pipeline, gpu_worker/tracking
#   farm_torch, farm_cuda         see FarmTorch.cmake, FarmCuda.cmake
#   GTest::gtest GTest::gtest_main rapidcheck            tests
#   benchmark::benchmark gRPC::grpc++                    bench

set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

find_package(tl-expected REQUIRED)
find_package(cppzmq REQUIRED)
find_package(msgpack REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(Protobuf REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(TBB REQUIRED)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET GLOBAL libsystemd)
if(FARM_BUILD_TESTS)
    find_package(GTest REQUIRED)
    find_package(rapidcheck REQUIRED)
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()
if(FARM_BUILD_BENCH OR FARM_WITH_CUDA)
    find_package(benchmark REQUIRED)
endif()
if(FARM_BUILD_BENCH)
    find_package(gRPC REQUIRED)
endif()
