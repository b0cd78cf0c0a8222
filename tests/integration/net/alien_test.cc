// Whatever else connects to the port: nothing of it reaches the loop, and peers are not disturbed.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net/url.h"
#include "tests/integration/net/endpoints.h"

namespace farm::testing {
namespace {

using namespace std::string_literals;

class RawPeer {
  public:
    explicit RawPeer(const std::string& url) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(parse_url(url)->port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
        timeval limit{30, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    }
    ~RawPeer() { ::close(fd_); }
    RawPeer(const RawPeer&) = delete;
    RawPeer& operator=(const RawPeer&) = delete;

    void send(const std::string& bytes) const {
        ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    void end() const { ::shutdown(fd_, SHUT_WR); }

    std::string receive(std::size_t size) const {
        std::string bytes(size, '\0');
        const ssize_t got = ::recv(fd_, bytes.data(), size, MSG_WAITALL);
        bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        return bytes;
    }

    /// Reads until the other side closes the connection. False when it does not.
    bool closed() const {
        char bytes[256];
        while (true) {
            const ssize_t got = ::recv(fd_, bytes, sizeof(bytes), 0);
            if (got == 0 || (got < 0 && errno == ECONNRESET)) return true;
            if (got < 0) return false;
        }
    }

    /// A complete ZMTP 3.0 NULL handshake as a DEALER that calls itself `identity`.
    void shake_hands(const std::string& identity) const {
        constexpr std::size_t greeting_bytes = 64;
        constexpr std::size_t ready_header_bytes = 2;
        send("\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL"s + std::string(16 + 1 + 31, '\0'));
        ASSERT_EQ(receive(greeting_bytes).size(), greeting_bytes);
        std::string ready = "\x05READY\x0bSocket-Type\0\0\0\x06"s + "DEALER" + "\x08Identity"s;
        ready += "\0\0\0"s + static_cast<char>(identity.size()) + identity;
        send("\x04"s + static_cast<char>(ready.size()) + ready);
        const std::string theirs = receive(ready_header_bytes);
        ASSERT_EQ(theirs.size(), ready_header_bytes);
        receive(static_cast<unsigned char>(theirs[1]));
    }

    void send_frame(const std::string& body, bool more = false) const {
        send(std::string(1, more ? '\1' : '\0') + static_cast<char>(body.size()) + body);
    }

  private:
    int fd_;
};

class AlienTest : public ::testing::Test {
  protected:
    void SetUp() override { address = *router->bind("tcp://127.0.0.1:0"); }

    /// A peer of ours still gets through, and what it says is the first thing that the loop hears.
    void expect_undisturbed() {
        auto dealer = loop.connected(address);
        ASSERT_EQ(testing::send(*dealer, {"hello"}), SendResult::sent);
        const auto message = loop.next(*router);
        ASSERT_TRUE(message);
        EXPECT_EQ(texts_of(message->frames), (std::vector<std::string>{"hello"}));
        EXPECT_EQ(testing::send(*router, message->link, {"welcome"}), SendResult::sent);
        EXPECT_TRUE(loop.next(*dealer));
        router->close(message->link);
        loop.drop(dealer);
    }

    Loop loop;
    std::unique_ptr<Router> router{loop.router()};
    std::string address;
};

TEST_F(AlienTest, OtherProtocolsAreHungUpOn) {
    const std::vector<std::string> openings{
        "GET / HTTP/1.1\r\nHost: head\r\n\r\n" + std::string(64, 'x'),
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s + std::string(64, '\xaa'),
        std::string(200, '\xff'),
        "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" + std::string(64, 'y'),
        std::string(200, '\0'),
    };
    for (const std::string& opening : openings) {
        const RawPeer alien(address);
        alien.send(opening);
        alien.end();
        EXPECT_TRUE(alien.closed()) << opening.substr(0, 20);
        expect_undisturbed();
    }
}

TEST_F(AlienTest, SilentHalfAndBrokenHandshakesDoNotDisturb) {
    const RawPeer silent(address);
    const RawPeer half(address);
    half.send("\xff\0\0\0\0\0\0\0\x01\x7f\x03"s);
    {
        const RawPeer hasty(address);
        hasty.send("\xff");
    }
    expect_undisturbed();
}

TEST_F(AlienTest, FrameLengthBeyondTheLimitIsHungUpOn) {
    const RawPeer alien(address);
    alien.shake_hands("");
    alien.send("\x02\x7f\xff\xff\xff\xff\xff\xff\xff"s);  // one frame of 2^63 - 1 bytes
    EXPECT_TRUE(alien.closed());
    expect_undisturbed();
}

TEST_F(AlienTest, MadeUpPeerWithoutAnIdentityIsServedLikeAnyOther) {
    const RawPeer peer(address);
    peer.shake_hands("");
    peer.send_frame("one", true);
    peer.send_frame("two");
    const auto message = loop.next(*router);
    ASSERT_TRUE(message);
    EXPECT_EQ(texts_of(message->frames), (std::vector<std::string>{"one", "two"}));
}

TEST_F(AlienTest, SelfChosenRoutingIdIsIgnored) {
    const RawPeer peer(address);
    peer.shake_hands("broker");
    peer.send_frame("x");
    EXPECT_TRUE(loop.until([&] {
        EXPECT_FALSE(router->receive());
        return router->counters().ignored_alien == 1;
    }));
    EXPECT_EQ(router->link_count(), 0U);
    expect_undisturbed();
}

}  // namespace
}  // namespace farm::testing
