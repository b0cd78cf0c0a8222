#include "bench/farm/cpu_time.h"

#include <ctime>

namespace farm::bench {

double cpu_seconds(pid_t pid) {
    clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
    timespec time{};
    if (pid != 0 && ::clock_getcpuclockid(pid, &clock) != 0) return 0;
    if (::clock_gettime(clock, &time) != 0) return 0;
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace farm::bench
