#include "common/net/same_host/shared_region.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace farm {
namespace {

constexpr std::size_t size = 1 << 16;

UniqueFd copy_of(int fd) { return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

TEST(SharedRegionTest, APeerSeesWhatTheOwnerWrites) {
    const auto own = SharedRegion::make(size);
    ASSERT_TRUE(own) << own.error().message;
    const auto peer = PeerRegion::map(copy_of((*own)->fd()), size);
    ASSERT_TRUE(peer) << peer.error().message;
    std::memcpy((*own)->data() + 100, "hits", 4);
    EXPECT_EQ(std::memcmp((*peer)->data() + 100, "hits", 4), 0);
}

TEST(SharedRegionTest, APeerCanNeitherWriteNorCutIt) {
    const auto own = SharedRegion::make(size);
    ASSERT_TRUE(own) << own.error().message;
    const UniqueFd fd = copy_of((*own)->fd());
    EXPECT_EQ(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0), MAP_FAILED);
    EXPECT_LT(::pwrite(fd.get(), "x", 1, 0), 0);
    EXPECT_NE(::ftruncate(fd.get(), 0), 0);
    EXPECT_NE(::ftruncate(fd.get(), 2 * size), 0);
}

TEST(SharedRegionTest, ItsMemoryOutlivesTheOwnerWhileAPeerLooksAtIt) {
    auto own = SharedRegion::make(size);
    ASSERT_TRUE(own) << own.error().message;
    std::memcpy((*own)->data(), "hits", 4);
    const auto peer = PeerRegion::map(copy_of((*own)->fd()), size);
    ASSERT_TRUE(peer) << peer.error().message;
    own->reset();
    EXPECT_EQ(std::memcmp((*peer)->data(), "hits", 4), 0);
}

TEST(PeerRegionTest, RefusesMemoryThatCouldBeCut) {
    UniqueFd fd(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ASSERT_EQ(::ftruncate(fd.get(), size), 0);
    const auto peer = PeerRegion::map(std::move(fd), size);
    ASSERT_FALSE(peer);
    EXPECT_NE(peer.error().message.find("not sealed"), std::string::npos) << peer.error().message;
}

TEST(PeerRegionTest, RefusesAnotherSizeThanItWasTold) {
    const auto own = SharedRegion::make(size);
    ASSERT_TRUE(own) << own.error().message;
    EXPECT_FALSE(PeerRegion::map(copy_of((*own)->fd()), 2 * size));
}

TEST(PeerRegionTest, RefusesWhatIsNoMemory) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd other(ends[1]);
    EXPECT_FALSE(PeerRegion::map(UniqueFd(ends[0]), size));
}

}  // namespace
}  // namespace farm
