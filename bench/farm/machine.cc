#include "bench/farm/machine.h"

#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sys/utsname.h>
#include <zmq.h>

#if __has_include(<gnu/libc-version.h>)
#include <gnu/libc-version.h>
#endif

#include "common/core/version.h"
#include "common/ops/host.h"

namespace farm::bench {
namespace {

std::string first_line(const std::string& file, const std::string& key) {
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with(key)) {
            const auto begin = line.find_first_not_of(" \t:=\"", key.size());
            return begin == std::string::npos ? ""
                                              : line.substr(begin, line.find('"', begin) - begin);
        }
    }
    return "unknown";
}

std::string libzmq_version() {
    int major = 0, minor = 0, patch = 0;
    zmq_version(&major, &minor, &patch);
    return fmt::format("{}.{}.{}", major, minor, patch);
}

std::string libc_version() {
#if __has_include(<gnu/libc-version.h>)
    return std::string("glibc ") + gnu_get_libc_version();
#else
    return "unknown";
#endif
}

/// `./dev bench` tells it; a program started by hand does not know.
std::string commit() {
    const char* given = std::getenv("FARM_BENCH_COMMIT");
    return given == nullptr ? "unknown" : given;
}

std::string kernel() {
    utsname name{};
    ::uname(&name);
    return std::string(name.sysname) + " " + name.release;
}

}  // namespace

std::string machine_line() {
    return fmt::format("{}, {} cores, {}, {}, libzmq {}, eventfarm {} ({})",
                       first_line("/proc/cpuinfo", "model name"),
                       std::thread::hardware_concurrency(), kernel(), libc_version(),
                       libzmq_version(), version, commit());
}

std::string machine_json() {
    const nlohmann::ordered_json json{{"processor", first_line("/proc/cpuinfo", "model name")},
                                      {"cores", std::thread::hardware_concurrency()},
                                      {"host", host_name()},
                                      {"system", first_line("/etc/os-release", "PRETTY_NAME")},
                                      {"kernel", kernel()},
                                      {"libc", libc_version()},
                                      {"compiler", __VERSION__},
                                      {"libzmq", libzmq_version()},
                                      {"eventfarm", version},
                                      {"commit", commit()}};
    return json.dump(1) + "\n";
}

}  // namespace farm::bench
