#include "bench/peers/shared_block.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace farm::bench {

Result<SharedBlock> SharedBlock::make(std::size_t bytes) {
    static int count = 0;
    const std::string name =
        "/farm-bench-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
    const int fd = ::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0) return fail(ErrorCode::io, "shm_open: " + std::string(std::strerror(errno)));
    void* data = MAP_FAILED;
    if (::ftruncate(fd, static_cast<off_t>(bytes)) == 0) {
        data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    const int number = errno;
    ::close(fd);
    if (data == MAP_FAILED) {
        ::shm_unlink(name.c_str());
        return fail(ErrorCode::io,
                    std::to_string(bytes) + " bytes of shared memory: " + std::strerror(number));
    }
    std::memset(data, 0, bytes);
    return SharedBlock(name, static_cast<char*>(data), bytes);
}

void SharedBlock::unlink() { ::shm_unlink(name_.c_str()); }

SharedBlock::~SharedBlock() {
    if (data_ == nullptr) return;
    ::munmap(data_, bytes_);
    unlink();
}

}  // namespace farm::bench
