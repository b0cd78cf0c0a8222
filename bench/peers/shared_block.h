#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "common/core/error.h"

namespace farm::bench {

/// POSIX shared memory with a name, for peers that take such; all its pages are touched. Gone with
/// this object; after unlink() also when this process is killed.
class SharedBlock {
  public:
    static Result<SharedBlock> make(std::size_t bytes);
    ~SharedBlock();
    void unlink();  ///< once the peer has opened it: nobody else finds it then
    SharedBlock(SharedBlock&& other) noexcept
        : name_(std::exchange(other.name_, {})),
          data_(std::exchange(other.data_, nullptr)),
          bytes_(other.bytes_) {}
    SharedBlock& operator=(SharedBlock&& other) noexcept {
        std::swap(name_, other.name_);
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }

    const std::string& name() const { return name_; }  ///< "/farm-bench-4711-1", for shm_open
    char* data() const { return data_; }
    std::size_t size() const { return bytes_; }

  private:
    SharedBlock(std::string name, char* data, std::size_t bytes)
        : name_(std::move(name)), data_(data), bytes_(bytes) {}

    std::string name_;
    char* data_{nullptr};
    std::size_t bytes_{0};
};

}  // namespace farm::bench
