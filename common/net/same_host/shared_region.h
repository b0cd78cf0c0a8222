#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "common/core/buffer.h"
#include "common/core/error.h"

namespace farm {

/// What errno says, as an error (io): "cannot <doing>: ...".
tl::unexpected<Error> system_error(const std::string& doing);

/// A file descriptor with one owner.
class UniqueFd {
  public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    ~UniqueFd() { reset(); }
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1);

  private:
    int fd_{-1};
};

/// Memory without a name that this process writes and its peers read.
///
/// Its size is sealed, so nobody's access can fault, and so is writing by anybody but the maker: a
/// peer gets a descriptor that can be mapped for reading only. (A kernel before 5.1 cannot seal
/// future writing; there a peer of the same user could.) It is gone when its last mapping and
/// descriptor are, however the processes end. Immutable; any thread.
class SharedRegion {
  public:
    /// `size_bytes` is a multiple of the page. Errors (io): no descriptor or memory left.
    static Result<std::shared_ptr<SharedRegion>> make(std::size_t size_bytes);
    ~SharedRegion();
    SharedRegion(const SharedRegion&) = delete;
    SharedRegion& operator=(const SharedRegion&) = delete;

    std::byte* data() const { return data_; }
    std::size_t size() const { return size_; }
    /// To be sent to peers.
    int fd() const { return fd_.get(); }

  private:
    SharedRegion(UniqueFd fd, std::byte* data, std::size_t size);

    UniqueFd fd_;
    std::byte* data_;
    std::size_t size_;
};

/// A region of a peer, mapped for reading. Immutable; any thread.
class PeerRegion {
  public:
    /// Takes the descriptor, which it needs no longer than this call. Errors (protocol): it is no
    /// memory of `size_bytes` whose size is sealed; (io): it cannot be mapped.
    static Result<std::shared_ptr<PeerRegion>> map(UniqueFd fd, std::uint64_t size_bytes);
    ~PeerRegion();
    PeerRegion(const PeerRegion&) = delete;
    PeerRegion& operator=(const PeerRegion&) = delete;

    const std::byte* data() const { return data_; }
    std::size_t size() const { return size_; }

  private:
    PeerRegion(const std::byte* data, std::size_t size) : data_(data), size_(size) {}

    const std::byte* data_;
    std::size_t size_;
};

}  // namespace farm
