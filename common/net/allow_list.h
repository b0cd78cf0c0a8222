#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/core/clock.h"
#include "common/core/error.h"
#include "common/net/identity.h"

namespace farm {

/// The keys that may connect: a folder of `<name>.pub` files, read again when it changes.
///
/// A file holds a Z85 public key on one line, and optionally `tenant: X` (default: the file's
/// name) and `role: client|worker|broker|admin`, repeated or comma-separated (default: client).
/// "# " starts a comment. A file that breaks this is skipped, its key is refused, and `problems()`
/// names file, line and reason. Of two files with one key the first by name counts.
/// Used by one thread. Bound: 65 536 files of at most 4 KiB. A removed key stops new connections;
/// sessions that are open go on.
class AllowList {
  public:
    /// Error when the folder cannot be read.
    static Result<AllowList> open(std::string folder);

    /// Who the key belongs to; null when it is not allowed. Looks at the folder's change time each
    /// time, and at the files' at most once a second.
    const Identity* find(std::string_view public_key, TimePoint now);

    std::size_t count() const { return by_key_.size(); }
    /// What was wrong with files at the last reading, and clears it.
    std::vector<std::string> take_problems();

  private:
    AllowList() = default;
    Result<void> read();
    void read_file(const std::string& path, const std::string& name);
    std::uint64_t stamp(bool with_files) const;

    std::string folder_;
    std::unordered_map<std::string, Identity> by_key_;
    std::vector<std::string> problems_;
    std::uint64_t folder_stamp_{0};
    std::uint64_t files_stamp_{0};
    TimePoint files_looked_at_{};
};

}  // namespace farm
