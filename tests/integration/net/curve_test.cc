// Keys that are allowed, refused, wrong, or not shown at all.
#include <atomic>
#include <cstdint>

#include <zmq.hpp>

#include "common/net/zap.h"
#include "tests/integration/net/endpoints.h"

namespace farm::testing {
namespace {

class CurveTest : public ::testing::Test {
  protected:
    void SetUp() override {
        auto started = ZapServer::start(loop.context, allowed.path(),
                                        {[this](const std::string&, const std::string& key) {
                                             refused_key_count += key.empty() ? 0 : 1;
                                         },
                                         {}});
        ASSERT_TRUE(started) << started.error().message;
        zap = std::move(*started);
        router = loop.router(CurveServer{server});
        address = *router->bind("tcp://127.0.0.1:0");
    }

    void allow(const std::string& name, const KeyPair& keys, const std::string& more = "") {
        allowed.write(name + ".pub", keys.public_key + "\n" + more);
    }

    CurveClient client(const KeyPair& keys) const { return {keys, server.public_key}; }

    TemporaryFolder allowed;
    Loop loop;
    KeyPair server{*generate_key_pair()};
    std::atomic<int> refused_key_count{0};
    std::unique_ptr<ZapServer> zap;
    std::unique_ptr<Router> router;
    std::string address;
};

TEST_F(CurveTest, AllowedKeyBringsItsTenantAndRoles) {
    const KeyPair keys = *generate_key_pair();
    allow("node7", keys, "tenant: atlas\nrole: worker\n");
    auto dealer = loop.dealer(address, client(keys));
    ASSERT_TRUE(loop.until([&] { return dealer->writable(); }));
    send(*dealer, {"hello", "body"});
    const auto message = loop.next(*router);
    ASSERT_TRUE(message);
    EXPECT_EQ(*message->identity, (Identity{"atlas", {Role::worker}, keys.public_key}));
    EXPECT_EQ(router->peer_address(message->link), "127.0.0.1");
    send(*router, message->link, {"welcome"});
    EXPECT_EQ(texts_of(*loop.next(*dealer)), (std::vector<std::string>{"welcome"}));
    EXPECT_EQ(zap->accepted_count(), 1U);
}

TEST_F(CurveTest, FrameOfTheFullSizeStillPasses) {
    const KeyPair keys = *generate_key_pair();
    allow("a", keys);
    auto dealer = loop.dealer(address, client(keys));
    ASSERT_TRUE(loop.until([&] { return dealer->writable(); }));
    const std::vector<Buffer> frames{Buffer::copy_of(std::vector<std::byte>(limits::frame_bytes))};
    ASSERT_EQ(dealer->send(frames), SendResult::sent);
    EXPECT_EQ(loop.next(*router)->frames.front().size(), limits::frame_bytes);
}

TEST_F(CurveTest, UnknownKeyIsRefusedAndComesUpOnceItIsAllowed) {
    const KeyPair keys = *generate_key_pair();
    auto early = loop.dealer(address, client(keys));
    ASSERT_TRUE(loop.until([&] { return refused_key_count == 1; }));
    EXPECT_FALSE(early->writable());
    EXPECT_EQ(send(*early, {"x"}), SendResult::gone);
    allow("late", keys);
    auto late = loop.dealer(address, client(keys));
    ASSERT_TRUE(loop.until([&] { return late->writable(); }));
    EXPECT_FALSE(early->writable());
    send(*late, {"x"});
    EXPECT_EQ(loop.next(*router)->identity->tenant, "late");
}

TEST_F(CurveTest, PeersWithoutKeysOrWithAnothersKeyDoNotDisturb) {
    const KeyPair keys = *generate_key_pair();
    allow("good", keys);
    auto plain = loop.dealer(address);
    auto misled = loop.dealer(address, CurveClient{keys, generate_key_pair()->public_key});
    auto good = loop.dealer(address, client(keys));
    ASSERT_TRUE(loop.until([&] { return good->writable(); }));
    send(*good, {"x"});
    EXPECT_EQ(loop.next(*router)->identity->tenant, "good");
    EXPECT_FALSE(plain->writable());
    EXPECT_FALSE(misled->writable());
    EXPECT_EQ(router->link_count(), 1U);
}

TEST_F(CurveTest, ProcessHasOneZapServer) {
    const auto second = ZapServer::start(loop.context, allowed.path());
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("already"), std::string::npos);
}

/// The first thing that libzmq says about the handshake of a connecting socket.
int handshake_event(zmq::context_t& context, const std::string& address, const CurveClient& keys) {
    zmq::socket_t socket(context, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::reconnect_ivl, -1);
    socket.set(zmq::sockopt::curve_serverkey, keys.server_key);
    socket.set(zmq::sockopt::curve_publickey, keys.own.public_key);
    socket.set(zmq::sockopt::curve_secretkey, keys.own.secret_key);
    constexpr int wanted = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                           ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_DISCONNECTED;
    EXPECT_EQ(zmq_socket_monitor(socket.handle(), "inproc://watch", wanted), 0);
    zmq::socket_t watch(context, zmq::socket_type::pair);
    watch.set(zmq::sockopt::linger, 0);
    watch.set(zmq::sockopt::rcvtimeo, 30'000);
    watch.connect("inproc://watch");
    socket.connect(address);
    zmq::message_t event;
    if (!watch.recv(event)) return 0;
    return *event.data<std::uint16_t>();
}

TEST(CurveWithoutZapTest, NobodyGetsIn) {
    Loop loop;
    const KeyPair server = *generate_key_pair();
    auto router = loop.router(CurveServer{server});
    const std::string address = *router->bind("tcp://127.0.0.1:0");
    const CurveClient stranger{*generate_key_pair(), server.public_key};
    const int event = handshake_event(loop.context.zmq(), address, stranger);
    EXPECT_NE(event, 0);
    EXPECT_NE(event, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
}

}  // namespace
}  // namespace farm::testing
