#pragma once

#include <cstdint>
#include <string>

#include <sys/types.h>

#include "common/core/error.h"

namespace farm {

/// "node17/4711": host and process, for people. At most limits::name_bytes.
std::string peer_name();
std::string host_name();

/// The running kernel and the user, "<boot id>/<uid>": see schemas/same_host.h. Empty when /proc
/// does not tell.
std::string this_host();

/// Resident memory of a process, 0 = this one. Error when it is gone.
Result<std::uint64_t> rss_bytes(pid_t pid = 0);

/// Of the machine, used or not.
std::uint64_t host_memory_bytes();

/// Nanoseconds since 1970: an epoch that grows with every start of a program.
std::uint64_t start_epoch();

/// Lifts the soft limit of open files to the hard one (a broker holds one per connection) and gives
/// what it is now.
std::uint64_t raise_open_file_limit();

/// Folder of the running executable, for finding its siblings. Empty when /proc is missing.
std::string executable_folder();

}  // namespace farm
