#pragma once

#include <filesystem>
#include <string>

namespace farm::bench {

/// A folder for models, keys, sockets and logs, which goes with this object.
class ScratchFolder {
  public:
    /// Under the system's temporary folder. Throws std::filesystem::filesystem_error without room.
    explicit ScratchFolder(const std::string& name);
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    void keep() { is_kept_ = true; }

  private:
    std::filesystem::path path_;
    bool is_kept_{false};
};

}  // namespace farm::bench
