#include "bench/peers/http_connection.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace farm::bench {
namespace {

/// Accepts one connection, reads one request for each answer, and sends the answer in the pieces
/// given.
class FakeServer {
  public:
    explicit FakeServer(std::vector<std::vector<std::string>> answers)
        : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address);
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), length);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
        ::listen(listener_, 1);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this, answers = std::move(answers)] { serve(answers); });
    }
    ~FakeServer() {
        thread_.join();
        ::close(listener_);
    }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  private:
    void serve(const std::vector<std::vector<std::string>>& answers) const {
        const int peer = ::accept(listener_, nullptr, nullptr);
        for (const auto& pieces : answers) {
            std::string request;
            char byte = 0;
            while (!request.ends_with("\r\n\r\n") && ::read(peer, &byte, 1) == 1) request += byte;
            for (const std::string& piece : pieces) {
                EXPECT_EQ(::write(peer, piece.data(), piece.size()),
                          static_cast<ssize_t>(piece.size()));
            }
        }
        ::close(peer);
    }

    int listener_;
    std::uint16_t port_{0};
    std::thread thread_;
};

constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(HttpConnectionTest, AnswersInPiecesAndOnOneConnection) {
    const std::string long_body(3 << 20, 'b');
    FakeServer server({{"HTTP/1.1 200 OK\r\ncontent-", "length: 5\r\n\r", "\nhel", "lo"},
                       {"HTTP/1.1 400 Bad\r\nX: y\r\nContent-Length: " +
                            std::to_string(long_body.size()) + "\r\n\r\n",
                        long_body}});
    auto connection = HttpConnection::open(server.address());
    ASSERT_TRUE(connection) << connection.error().message;
    const auto first = connection->exchange(request);
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(first->status, 200);
    EXPECT_EQ(first->body, "hello");
    const auto second = connection->exchange(request);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->status, 400);
    EXPECT_EQ(second->body, long_body);
}

TEST(HttpConnectionTest, AnswerWithoutLengthIsRefused) {
    FakeServer server({{"HTTP/1.1 200 OK\r\n\r\n"}});
    auto connection = HttpConnection::open(server.address());
    ASSERT_TRUE(connection);
    EXPECT_FALSE(connection->exchange(request));
}

TEST(HttpConnectionTest, BadAddressesAreRefused) {
    EXPECT_FALSE(HttpConnection::open("localhost"));
    EXPECT_FALSE(HttpConnection::open("host:80"));
    EXPECT_FALSE(HttpConnection::open("127.0.0.1:port"));
}

}  // namespace
}  // namespace farm::bench
