#include "common/net/same_host/shared_region.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace farm {
namespace {

#ifndef F_SEAL_FUTURE_WRITE
constexpr int F_SEAL_FUTURE_WRITE = 0x0010;  // before glibc 2.32
#endif

/// The descriptor for peers, sealed. `fd` has its size and is mapped for writing.
Result<UniqueFd> sealed(UniqueFd fd) {
    constexpr int size_seals = F_SEAL_SHRINK | F_SEAL_GROW;
    if (::fcntl(fd.get(), F_ADD_SEALS, size_seals | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0) {
        return fd;
    }
    if (::fcntl(fd.get(), F_ADD_SEALS, size_seals | F_SEAL_SEAL) != 0) {
        return system_error("seal shared memory");
    }
    const std::string path = "/proc/self/fd/" + std::to_string(fd.get());
    UniqueFd readable(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!readable) return system_error("open shared memory for reading");
    return readable;
}

}  // namespace

tl::unexpected<Error> system_error(const std::string& doing) {
    return fail(ErrorCode::io, "cannot " + doing + ": " + std::strerror(errno));
}

void UniqueFd::reset(int fd) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

SharedRegion::SharedRegion(UniqueFd fd, std::byte* data, std::size_t size)
    : fd_(std::move(fd)), data_(data), size_(size) {}

Result<std::shared_ptr<SharedRegion>> SharedRegion::make(std::size_t size_bytes) {
    UniqueFd fd(::memfd_create("farm-tensors", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd) return system_error("make shared memory");
    if (::ftruncate(fd.get(), static_cast<off_t>(size_bytes)) != 0) {
        return system_error("size shared memory to " + std::to_string(size_bytes) + " bytes");
    }
    void* data = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (data == MAP_FAILED) return system_error("map shared memory");
    auto shown = sealed(std::move(fd));
    if (!shown) {
        ::munmap(data, size_bytes);
        return tl::unexpected(std::move(shown).error());
    }
    return std::shared_ptr<SharedRegion>(
        new SharedRegion(std::move(*shown), static_cast<std::byte*>(data), size_bytes));
}

SharedRegion::~SharedRegion() { ::munmap(data_, size_); }

Result<std::shared_ptr<PeerRegion>> PeerRegion::map(UniqueFd fd, std::uint64_t size_bytes) {
    struct stat about {};
    if (::fstat(fd.get(), &about) != 0) return system_error("look at a peer's memory");
    const int seals = ::fcntl(fd.get(), F_GET_SEALS);
    const bool is_sealed = seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
    if (!is_sealed || static_cast<std::uint64_t>(about.st_size) != size_bytes) {
        return fail(ErrorCode::protocol,
                    "a region's memory has " + std::to_string(about.st_size) + " bytes" +
                        (is_sealed ? "" : " and its size is not sealed") +
                        " (it must be sealed at " + std::to_string(size_bytes) +
                        "): send what wire.md says");
    }
    void* data = ::mmap(nullptr, size_bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (data == MAP_FAILED) return system_error("map a peer's memory");
    return std::shared_ptr<PeerRegion>(
        new PeerRegion(static_cast<const std::byte*>(data), size_bytes));
}

PeerRegion::~PeerRegion() { ::munmap(const_cast<std::byte*>(data_), size_); }

}  // namespace farm
