#pragma once

#include <sys/types.h>

namespace farm::bench {

/// Processor time that a process has used so far, in seconds; 0 when it is gone. 0 as pid: ours.
double cpu_seconds(pid_t pid);

}  // namespace farm::bench
