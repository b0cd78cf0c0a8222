#include "common/ops/host.h"

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <sys/resource.h>
#include <unistd.h>

#include "schemas/limits.h"

namespace farm {

std::string host_name() {
    std::array<char, limits::name_bytes - 16> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0') return "unknown";
    return name.data();
}

std::string peer_name() { return host_name() + '/' + std::to_string(::getpid()); }

std::string this_host() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string boot;
    if (!(file >> boot)) return {};
    return boot + '/' + std::to_string(::geteuid());
}

Result<std::uint64_t> rss_bytes(pid_t pid) {
    const std::string who = pid == 0 ? "self" : std::to_string(pid);
    std::ifstream file("/proc/" + who + "/statm");
    std::uint64_t total_pages = 0;
    std::uint64_t resident_pages = 0;
    if (!(file >> total_pages >> resident_pages)) {
        return fail(ErrorCode::not_found,
                    "cannot read the memory of process " + who + " (it has ended)");
    }
    return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t host_memory_bytes() {
    return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
           static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t start_epoch() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

std::uint64_t raise_open_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

std::string executable_folder() {
    std::error_code error;
    const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? std::string() : path.parent_path().string();
}

}  // namespace farm
