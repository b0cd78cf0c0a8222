// Messages between Router and Dealer, and how a lost connection shows.
#include <thread>

#include "schemas/limits.h"
#include "tests/integration/net/endpoints.h"

namespace farm::testing {
namespace {

using Texts = std::vector<std::string>;

class LinkTest : public ::testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        router = loop.router();
        const std::string url = GetParam() == "ipc" ? "ipc://" + folder.file("s") : GetParam();
        const auto bound = router->bind(url);
        ASSERT_TRUE(bound) << bound.error().message;
        address = reachable_loopback(*bound);
    }

    static std::string reachable_loopback(std::string bound) {
        const auto any = bound.find("[::]");
        if (any != std::string::npos) bound.replace(any, 4, "127.0.0.1");
        return bound;
    }

    TemporaryFolder folder;
    Loop loop;
    std::unique_ptr<Router> router;
    std::string address;
};

TEST_P(LinkTest, MessagesGoBothWaysInOrder) {
    auto dealer = loop.connected(address);
    EXPECT_EQ(send(*dealer, {"head", "", "body"}), SendResult::sent);
    EXPECT_EQ(send(*dealer, {"second"}), SendResult::sent);
    const auto first = loop.next(*router);
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->first);
    EXPECT_EQ(texts_of(first->frames), (Texts{"head", "", "body"}));
    EXPECT_EQ(*first->identity, Identity{});
    const auto second = loop.next(*router);
    EXPECT_FALSE(second->first);
    EXPECT_EQ(second->link, first->link);

    EXPECT_EQ(send(*router, first->link, {"answer", "x"}), SendResult::sent);
    EXPECT_EQ(texts_of(*loop.next(*dealer)), (Texts{"answer", "x"}));
}

TEST_P(LinkTest, EachConnectionIsALinkOfItsOwn) {
    auto one = loop.connected(address);
    auto two = loop.connected(address);
    send(*one, {"one"});
    const LinkId link = loop.next(*router)->link;
    send(*two, {"two"});
    EXPECT_NE(loop.next(*router)->link, link);
    EXPECT_EQ(router->link_count(), 2U);
}

TEST_P(LinkTest, LargeFramesAreSentInPlaceAndReleased) {
    auto dealer = loop.connected(address);
    auto block = std::make_shared<std::vector<std::byte>>(limits::frame_bytes, std::byte{42});
    const std::weak_ptr<std::vector<std::byte>> watch = block;
    {
        const std::vector<Buffer> frames{
            text("head"),
            Buffer(std::shared_ptr<const std::byte>(block, block->data()), block->size())};
        block.reset();
        ASSERT_EQ(dealer->send(frames), SendResult::sent);
    }
    const auto message = loop.next(*router);
    ASSERT_TRUE(message);
    ASSERT_EQ(message->frames.size(), 2U);
    EXPECT_EQ(message->frames[1].size(), limits::frame_bytes);
    EXPECT_EQ(message->frames[1].bytes().back(), std::byte{42});
    EXPECT_TRUE(loop.until([&] { return watch.expired(); }));
}

TEST_P(LinkTest, GonePeerIsReportedBySend) {
    auto dealer = loop.connected(address);
    send(*dealer, {"hello"});
    const LinkId link = loop.next(*router)->link;
    loop.drop(dealer);
    EXPECT_TRUE(loop.until([&] { return send(*router, link, {"beat"}) == SendResult::gone; }));
}

TEST_P(LinkTest, BrokenConnectionWakesTheDealersLoop) {
    auto dealer = loop.connected(address);
    loop.drop(router);
    ASSERT_TRUE(loop.until([&] { return dealer->state() == Dealer::State::lost; }));
    EXPECT_EQ(send(*dealer, {"late"}), SendResult::gone);
    EXPECT_FALSE(dealer->writable());
}

TEST_P(LinkTest, ClosedLinkIsIgnoredForGood) {
    auto dealer = loop.connected(address);
    send(*dealer, {"hello"});
    const LinkId link = loop.next(*router)->link;
    router->close(link);
    EXPECT_EQ(send(*router, link, {"x"}), SendResult::gone);
    EXPECT_EQ(send(*dealer, {"still", "here"}), SendResult::sent);
    EXPECT_TRUE(loop.until([&] {
        EXPECT_FALSE(router->receive());
        return router->counters().ignored_closed == 1;
    }));
    auto fresh = loop.connected(address);
    send(*fresh, {"fresh"});
    EXPECT_NE(loop.next(*router)->link, link);
    EXPECT_EQ(router->link_count(), 1U);
}

TEST_P(LinkTest, PeerThatDoesNotReadFillsItsPipeAndIsReported) {
    auto dealer = loop.connected(address);
    send(*dealer, {"hello"});
    const LinkId link = loop.next(*router)->link;
    const std::vector<Buffer> frames{Buffer::copy_of(std::vector<std::byte>(4096))};
    SendResult result = SendResult::sent;
    const int most = 4 * limits::high_water_mark_count;  // both sides' pipes and the kernel's
    for (int i = 0; i < most && result == SendResult::sent; ++i)
        result = router->send(link, frames);
    EXPECT_EQ(result, SendResult::full);
}

TEST_P(LinkTest, MessageOfTooManyFramesIsCutOff) {
    auto dealer = loop.connected(address);
    const std::vector<Buffer> frames(limits::frame_count + 10, text("x"));
    ASSERT_EQ(dealer->send(frames), SendResult::sent);
    EXPECT_EQ(loop.next(*router)->frames.size(), limits::frame_count + 1);
    send(*dealer, {"next"});
    EXPECT_EQ(texts_of(loop.next(*router)->frames), (Texts{"next"}));
}

TEST_P(LinkTest, FrameAboveTheLimitEndsTheConnection) {
    auto dealer = loop.connected(address);
    const std::vector<Buffer> frames{
        Buffer::copy_of(std::vector<std::byte>(limits::frame_bytes + 1))};
    ASSERT_EQ(dealer->send(frames), SendResult::sent);
    EXPECT_TRUE(loop.until([&] { return dealer->state() == Dealer::State::lost; }));
    EXPECT_FALSE(router->receive());
}

INSTANTIATE_TEST_SUITE_P(Transports, LinkTest,
                         ::testing::Values("ipc", "tcp://127.0.0.1:0", "tcp://*:0"),
                         [](const auto& tested) {
                             return tested.param == "ipc"         ? "Ipc"
                                    : tested.param == "tcp://*:0" ? "TcpAnyAddress"
                                                                  : "Tcp";
                         });

TEST(DealerTest, UnreachableAddressStaysConnecting) {
    const TemporaryFolder folder;
    Loop loop;
    auto dealer = loop.dealer("ipc://" + folder.file("nobody"));
    EXPECT_EQ(send(*dealer, {"x"}), SendResult::gone);
    EXPECT_EQ(dealer->state(), Dealer::State::connecting);
    EXPECT_FALSE(Dealer::connect(loop.context, Lane::control, "tcp://nowhere"));
}

TEST(LaneTest, BothLanesServeOneListener) {
    const TemporaryFolder folder;
    Loop loop;
    auto router = loop.router();
    const std::string url = *router->bind("ipc://" + folder.file("s"));
    auto bulk = loop.dealer(url, {}, Lane::bulk);
    ASSERT_TRUE(loop.until([&] { return bulk->writable(); }));
    send(*bulk, {"chunk"});
    EXPECT_EQ(texts_of(loop.next(*router)->frames), (Texts{"chunk"}));
}

}  // namespace
}  // namespace farm::testing
