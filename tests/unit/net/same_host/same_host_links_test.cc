// Two ends of connections within a host, both in this process, each with memory of its own.
#include "common/net/same_host/same_host_links.h"

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <utility>

#include <dirent.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/wire/packet.h"
#include "schemas/limits.h"

namespace farm {
namespace {

constexpr LinkId first_link{1 | same_host_bit};
constexpr std::size_t large = 1 << 20;

std::string fresh_name() {
    static int number = 0;
    return "@farm-test-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
}

Buffer block_of(std::size_t size, char fill) {
    MutableBuffer block(size);
    std::memset(block.data(), fill, size);
    return std::move(block).freeze();
}

/// One end: what has happened to it.
struct End {
    explicit End(std::uint64_t held_bytes_limit = UINT64_MAX)
        : links(*SameHostLinks::make({arena, held_bytes_limit})) {}

    void tell() {
        links->poll_after_sleep(true);
        links->tell({[this](LinkOpened event) { opened.push_back(event.link); },
                     [this](LinkLost event) {
                         lost.push_back(event.link);
                         cause = event.cause;
                     },
                     [this](LinkId link, std::vector<Buffer> frames) {
                         from = link;
                         messages.push_back(std::move(frames));
                     },
                     [this](const Malformed& event) {
                         malformed.push_back(event.detail);
                         links->close(event.link);
                     }});
    }
    SendResult send(LinkId link, std::vector<Buffer> frames) { return links->send(link, frames); }
    std::vector<Buffer> take() {
        if (messages.empty()) return {};
        std::vector<Buffer> first = std::move(messages.front());
        messages.erase(messages.begin());
        return first;
    }

    std::shared_ptr<SharedArena> arena = SharedArena::make();
    std::unique_ptr<SameHostLinks> links;
    std::vector<LinkId> opened;
    std::vector<LinkId> lost;
    LinkLost::Cause cause{LinkLost::Cause::gone};  ///< of the last one
    std::vector<std::vector<Buffer>> messages;
    std::vector<std::string> malformed;
    LinkId from;
};

/// A worker that listens and a client that is connected to it.
struct Pair {
    explicit Pair(std::uint64_t client_limit = UINT64_MAX) : client(client_limit) {
        EXPECT_TRUE(worker.links->listen(name));
        client.links->open(first_link, name);
        client.tell();
        worker.tell();
    }
    /// Client to worker; what the worker got.
    std::vector<Buffer> call(std::vector<Buffer> frames) {
        EXPECT_EQ(client.send(first_link, std::move(frames)), SendResult::sent);
        worker.tell();
        return worker.take();
    }
    std::vector<Buffer> answer(std::vector<Buffer> frames) {
        EXPECT_EQ(worker.send(worker.from, std::move(frames)), SendResult::sent);
        client.tell();
        return client.take();
    }

    std::string name = fresh_name();
    End worker;
    End client;
};

std::vector<Buffer> with_header(Buffer tensor) {
    return {block_of(10, 'h'), block_of(20, 'b'), std::move(tensor)};
}

TEST(SameHostLinksTest, SmallAndLargeFramesArriveAsTheyWere) {
    Pair pair;
    EXPECT_EQ(pair.client.opened, std::vector<LinkId>{first_link});
    const auto frames = pair.call(
        {block_of(5, 'a'), block_of(0, 'b'), block_of(large, 'c'), block_of(100'000, 'd')});
    ASSERT_EQ(frames.size(), 4U);
    EXPECT_TRUE(is_same_host(pair.worker.from));
    EXPECT_GE(pair.worker.from.value, first_listener_link);
    EXPECT_EQ(frames[1].size(), 0U);
    EXPECT_EQ(frames[2].size(), large);
    EXPECT_EQ(std::memcmp(frames[0].data(), "aaaaa", 5), 0);
    EXPECT_EQ(frames[2].data()[large - 1], std::byte{'c'});
    EXPECT_EQ(frames[3].data()[99'999], std::byte{'d'});
}

TEST(SameHostLinksTest, ManySmallFramesGoIntoBlocksWhereThePacketIsFull) {
    Pair pair;
    std::vector<Buffer> sent;
    for (int i = 0; i < 64; ++i) sent.push_back(block_of(16'000, static_cast<char>('A' + i)));
    const auto frames = pair.call(sent);
    ASSERT_EQ(frames.size(), 64U);
    for (int i = 0; i < 64; ++i) {
        EXPECT_EQ(frames[static_cast<std::size_t>(i)].data()[15'999],
                  static_cast<std::byte>('A' + i));
    }
}

TEST(SameHostLinksTest, WhatLiesInTheArenaIsLentWithoutACopy) {
    Pair pair;
    auto block = pair.client.arena->allocate(large);
    ASSERT_TRUE(block);
    const std::uint64_t used = pair.client.arena->used_bytes();
    const Buffer input = std::move(*block).freeze();
    auto frames = pair.call(with_header(input));
    EXPECT_EQ(pair.client.arena->used_bytes(), used);
    const_cast<std::byte*>(input.data())[7] = std::byte{'!'};
    EXPECT_EQ(frames[2].data()[7], std::byte{'!'}) << "it is the same memory";
}

TEST(SameHostLinksTest, AnInputThatIsHandedBackIsTheSendersOwn) {
    Pair pair;
    auto block = pair.client.arena->allocate(large);
    ASSERT_TRUE(block);
    const Buffer input = std::move(*block).freeze();
    auto frames = pair.call(with_header(input));
    const Buffer part = frames[2].slice(1000, large - 1000);
    const auto answer = pair.answer(with_header(part));
    ASSERT_EQ(answer.size(), 3U);
    EXPECT_EQ(answer[2].data(), input.data() + 1000);
    EXPECT_EQ(pair.worker.arena->used_bytes(), 0U);
}

TEST(SameHostLinksTest, ABlockIsFreeOnceThePeerHasGivenItBack) {
    Pair pair;
    auto frames = pair.call(with_header(block_of(large, 'x')));
    EXPECT_GT(pair.client.arena->used_bytes(), 0U);
    frames.clear();
    EXPECT_GT(pair.client.arena->used_bytes(), 0U) << "it is told with the next message";
    pair.answer({block_of(10, 'h')});
    EXPECT_EQ(pair.client.arena->used_bytes(), 0U);
}

TEST(SameHostLinksTest, TheSameBlockMayBeLentManyTimes) {
    Pair pair;
    auto block = pair.client.arena->allocate(large);
    ASSERT_TRUE(block);
    Buffer input = std::move(*block).freeze();
    std::vector<std::vector<Buffer>> calls;
    for (int i = 0; i < 8; ++i) calls.push_back(pair.call(with_header(input)));
    input = {};
    while (!calls.empty()) {
        EXPECT_GT(pair.client.arena->used_bytes(), 0U);
        calls.pop_back();
        pair.answer({block_of(10, 'h')});
    }
    EXPECT_EQ(pair.client.arena->used_bytes(), 0U);
}

TEST(SameHostLinksTest, ManyReturnsTakeSeveralPackets) {
    Pair pair;
    std::vector<std::vector<Buffer>> calls;
    for (std::size_t i = 0; i < limits::packet_return_count + 10; ++i) {
        calls.push_back(pair.call(with_header(block_of(20'000, 'x'))));
    }
    calls.clear();
    pair.answer({block_of(10, 'h')});
    EXPECT_EQ(pair.client.arena->used_bytes(), 0U);
}

TEST(SameHostLinksTest, AnswersHeldBeyondTheLimitAreCopied) {
    Pair pair(2 * large);
    pair.call({block_of(10, 'h')});
    std::vector<std::vector<Buffer>> held;
    for (int i = 0; i < 4; ++i) {
        held.push_back(pair.answer(with_header(block_of(large, static_cast<char>('0' + i)))));
        pair.call({block_of(10, 'h')});  // brings the returns
    }
    EXPECT_EQ(pair.worker.arena->used_bytes(), 2 * large);
    EXPECT_EQ(held[3][2].data()[5], std::byte{'3'});
    held.clear();
    const auto again = pair.answer(with_header(block_of(large, 'y')));
    pair.call({block_of(10, 'h')});
    EXPECT_EQ(pair.worker.arena->used_bytes(), large) << "in place again";
}

TEST(SameHostLinksTest, APeerThatGoesAwayLeavesNothingLent) {
    Pair pair;
    auto held = pair.call(with_header(block_of(large, 'x')));
    pair.client.links->close(first_link);
    EXPECT_EQ(pair.client.arena->used_bytes(), 0U);
    pair.worker.tell();
    EXPECT_EQ(pair.worker.lost.size(), 1U);
    EXPECT_EQ(held[2].data()[large - 1], std::byte{'x'}) << "a view outlives the connection";
    EXPECT_EQ(pair.worker.send(pair.worker.from, {block_of(1, 'x')}), SendResult::gone);
}

TEST(SameHostLinksTest, WhatWasSentBeforeTheEndStillArrives) {
    Pair pair;
    pair.client.send(first_link, {block_of(5, 'x')});
    pair.client.links->close(first_link);
    pair.worker.tell();
    pair.worker.tell();
    EXPECT_EQ(pair.worker.messages.size(), 1U);
    EXPECT_EQ(pair.worker.lost.size(), 1U);
}

TEST(SameHostLinksTest, APeerThatDoesNotReadIsWaitedForUpToALimit) {
    Pair pair;
    const Buffer frame = block_of(10'000, 'x');
    std::size_t sent = 0;
    while (pair.client.send(first_link, {frame}) == SendResult::sent) ++sent;
    EXPECT_GT(sent, limits::unsent_packet_count);
    EXPECT_EQ(pair.client.send(first_link, {frame}), SendResult::gone);
}

TEST(SameHostLinksTest, WhatHadToWaitArrivesInOrder) {
    Pair pair;
    constexpr std::size_t count = 500;
    for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(pair.client.send(first_link, with_header(block_of(10'000 + 20 * i, 'x'))),
                  SendResult::sent);
    }
    for (int i = 0; i < 1000 && pair.worker.messages.size() < count; ++i) {
        pair.worker.tell();
        pair.client.tell();
    }
    ASSERT_EQ(pair.worker.messages.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(pair.worker.messages[i][2].size(), 10'000 + 20 * i);
    }
}

TEST(SameHostLinksTest, NobodyListeningIsALostLink) {
    End client;
    client.links->open(first_link, fresh_name());
    client.links->open(LinkId{2 | same_host_bit}, "/no/abstract/name");
    client.tell();
    EXPECT_EQ(client.lost.size(), 2U);
    EXPECT_TRUE(client.opened.empty());
}

TEST(SameHostLinksTest, ANameIsTakenOnce) {
    End one;
    End two;
    const std::string name = fresh_name();
    EXPECT_TRUE(one.links->listen(name));
    EXPECT_FALSE(two.links->listen(name));
}

TEST(SameHostLinksTest, ADroppedRegionIsForgottenByThePeerAndMadeAgain) {
    Pair pair;
    pair.call(with_header(block_of(large, 'x')));
    pair.answer({block_of(10, 'h')});
    pair.client.arena->drop_idle_regions(steady_now() + SharedArena::idle_time);
    EXPECT_EQ(pair.client.arena->region_count(), 0U);
    const auto frames = pair.call(with_header(block_of(large, 'y')));
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_EQ(frames[2].data()[0], std::byte{'y'});
    EXPECT_TRUE(pair.worker.malformed.empty());
}

// ---- peers that break the rules ---------------------------------------------------------------

/// A client that sends packets as it likes.
struct Stranger {
    explicit Stranger(const std::string& name) {
        socket = UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path + 1, name.data() + 1, name.size() - 1);
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    }
    void send(const std::string& bytes, const std::vector<int>& fds = {}) const {
        alignas(cmsghdr) char room[CMSG_SPACE(8 * sizeof(int))] = {};
        iovec part{const_cast<char*>(bytes.data()), bytes.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        if (!fds.empty()) {
            const std::size_t size = fds.size() * sizeof(int);
            message.msg_control = room;
            message.msg_controllen = CMSG_SPACE(size);
            cmsghdr* head = CMSG_FIRSTHDR(&message);
            head->cmsg_level = SOL_SOCKET;
            head->cmsg_type = SCM_RIGHTS;
            head->cmsg_len = CMSG_LEN(size);
            std::memcpy(CMSG_DATA(head), fds.data(), size);
        }
        EXPECT_GE(::sendmsg(socket.get(), &message, MSG_NOSIGNAL), 0);
    }
    UniqueFd socket;
};

struct StrangerBench {
    StrangerBench() { EXPECT_TRUE(worker.links->listen(name)); }
    /// What the worker says to these packets.
    std::string refusal(const std::vector<Packet>& packets, const std::vector<int>& fds = {}) {
        const Stranger stranger(name);
        for (std::size_t i = 0; i < packets.size(); ++i) {
            stranger.send(encode_packet(packets[i]), i == 0 ? fds : std::vector<int>());
        }
        for (int i = 0; i < 3; ++i) worker.tell();
        const std::string said = worker.malformed.empty() ? "" : worker.malformed.back();
        worker.malformed.clear();
        EXPECT_TRUE(worker.messages.empty());
        return said;
    }
    std::string name = fresh_name();
    End worker;
};

PacketFrame lent(std::uint32_t region, std::uint64_t offset, std::uint64_t size) {
    return {PacketFrame::Place::lent, region, 1, offset, size, {}};
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(SameHostLinksTest, PacketsThatBreakTheRulesEndTheConnection) {
    StrangerBench bench;
    const auto region = SharedRegion::make(1 << 16);
    ASSERT_TRUE(region);
    const RegionPacket news{1, 1 << 16};
    const int fd = (*region)->fd();
    EXPECT_TRUE(has(bench.refusal({MessagePacket{{lent(1, 0, 1)}, {}}}), "region 1"));
    EXPECT_TRUE(has(bench.refusal({MessagePacket{{}, {4}}}), "loan 4 (which is not out)"));
    PacketFrame own;
    own.place = PacketFrame::Place::own;
    own.loan = 3;
    EXPECT_TRUE(has(bench.refusal({MessagePacket{{own}, {}}}), "loan 3 (which is not out)"));
    EXPECT_TRUE(has(bench.refusal({news}), "no descriptor"));
    EXPECT_TRUE(has(bench.refusal({MessagePacket{}}, {fd}), "no descriptor, or another has one"));
    EXPECT_TRUE(has(bench.refusal({RegionPacket{1, 1 << 17}}, {fd}), "sealed at 131072"));
    EXPECT_TRUE(has(bench.refusal({news, RegionGonePacket{2}}, {fd}), "region 2"));
    const MessagePacket outside{{lent(1, (1 << 16) - 1, 2)}, {}};
    EXPECT_TRUE(has(bench.refusal({news, outside}, {fd}), "it has 65536"));
    EXPECT_EQ(bench.refusal({news}, {fd}), "") << "by itself it is right";
}

TEST(SameHostLinksTest, BytesThatAreNoPacketEndTheConnection) {
    StrangerBench bench;
    const Stranger stranger(bench.name);
    stranger.send("GET / HTTP/1.1\r\n");
    bench.worker.tell();
    bench.worker.tell();
    ASSERT_EQ(bench.worker.malformed.size(), 1U);
    EXPECT_TRUE(has(bench.worker.malformed[0], std::to_string(::getpid())));
}

TEST(SameHostLinksTest, APacketAboveTheLimitEndsTheConnection) {
    StrangerBench bench;
    const Stranger stranger(bench.name);
    stranger.send(std::string(limits::packet_bytes + 1, 'x'));
    bench.worker.tell();
    bench.worker.tell();
    ASSERT_EQ(bench.worker.malformed.size(), 1U);
    EXPECT_TRUE(has(bench.worker.malformed[0], "above 65536"));
}

std::size_t open_descriptor_count() {
    DIR* folder = ::opendir("/proc/self/fd");
    std::size_t count = 0;
    while (::readdir(folder) != nullptr) ++count;
    ::closedir(folder);
    return count;
}

TEST(SameHostLinksTest, DescriptorsThatComeUnaskedAreClosed) {
    StrangerBench bench;
    const auto region = SharedRegion::make(1 << 16);
    ASSERT_TRUE(region);
    const std::size_t before = open_descriptor_count();
    for (int i = 0; i < 10; ++i) bench.refusal({MessagePacket{}}, {(*region)->fd()});
    EXPECT_EQ(open_descriptor_count(), before);
}

TEST(SameHostLinksTest, OfTwoDescriptorsBesideAPacketNoneStays) {
    StrangerBench bench;
    const auto region = SharedRegion::make(1 << 16);
    ASSERT_TRUE(region);
    const int fd = (*region)->fd();
    const std::size_t before = open_descriptor_count();
    for (const std::size_t count : {2U, 3U}) {
        const std::string said =
            bench.refusal({RegionPacket{1, 1 << 16}}, std::vector<int>(count, fd));
        EXPECT_TRUE(has(said, "more than one descriptor")) << count;
        EXPECT_EQ(open_descriptor_count(), before) << count;
    }
}

/// Fewer descriptors than the process has: none can be opened.
class NoDescriptors {
  public:
    NoDescriptors() {
        EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        const rlimit none{3, before_.rlim_max};
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    }
    ~NoDescriptors() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

  private:
    rlimit before_{};
};

TEST(SameHostLinksTest, WithoutADescriptorForItsMemoryThePeerIsNotToBlame) {
    StrangerBench bench;
    const auto region = SharedRegion::make(1 << 16);
    ASSERT_TRUE(region);
    const Stranger stranger(bench.name);
    bench.worker.tell();
    stranger.send(encode_packet(RegionPacket{1, 1 << 16}), {(*region)->fd()});
    {
        const NoDescriptors none;
        bench.worker.tell();
    }
    EXPECT_TRUE(bench.worker.malformed.empty());
    ASSERT_EQ(bench.worker.lost.size(), 1U);
    EXPECT_EQ(bench.worker.cause, LinkLost::Cause::no_room);
}

TEST(SameHostLinksTest, WithoutDescriptorsClientsWaitAndNobodySpins) {
    StrangerBench bench;
    std::optional<Stranger> first(bench.name);
    bench.worker.tell();
    Stranger second(bench.name);
    {
        const NoDescriptors none;
        bench.worker.tell();
    }
    pollfd ready{bench.worker.links->poll_fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&ready, 1, 0), 0) << "the loop would spin";
    first.reset();
    for (int i = 0; i < 3; ++i) bench.worker.tell();
    second.send(encode_packet(MessagePacket{{{}}, {}}));
    for (int i = 0; i < 3; ++i) bench.worker.tell();
    EXPECT_EQ(bench.worker.messages.size(), 1U) << "a descriptor was free again";
}

}  // namespace
}  // namespace farm
