#include "common/ops/metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace farm {
namespace {

std::string scrape(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
    ::send(fd, request.data(), request.size(), 0);
    std::string answer;
    char bytes[4096];
    for (ssize_t got = 0; (got = ::recv(fd, bytes, sizeof(bytes), 0)) > 0;) {
        answer.append(bytes, static_cast<std::size_t>(got));
    }
    ::close(fd);
    return answer;
}

MetricSnapshot sample(double calls) {
    return {{Metric::Kind::counter, "farm_calls_total", "Calls", calls, {{"status", "ok"}}},
            {Metric::Kind::gauge, "farm_queued", "Waiting", 3, {}},
            {Metric::Kind::counter, "farm_calls_total", "Calls", 1, {{"status", "lost"}}}};
}

TEST(MetricsTest, ScrapeShowsTheLastSnapshot) {
    SharedSnapshot shared;
    shared.publish(sample(5));
    auto server = MetricsServer::start("127.0.0.1:0", [&] { return shared.read(); });
    ASSERT_TRUE(server) << server.error().message;
    ASSERT_NE((*server)->port(), 0);
    const std::string first = scrape((*server)->port());
    EXPECT_NE(first.find("# TYPE farm_calls_total counter"), std::string::npos) << first;
    EXPECT_NE(first.find("farm_calls_total{status=\"ok\"} 5"), std::string::npos) << first;
    EXPECT_NE(first.find("farm_calls_total{status=\"lost\"} 1"), std::string::npos);
    EXPECT_NE(first.find("farm_queued 3"), std::string::npos);
    EXPECT_EQ(first.find("# TYPE farm_calls_total"), first.rfind("# TYPE farm_calls_total"));
    shared.publish(sample(6));
    EXPECT_NE(scrape((*server)->port()).find("farm_calls_total{status=\"ok\"} 6"),
              std::string::npos);
}

TEST(MetricsTest, BadAddressAndPortInUseAreNamed) {
    const auto fill = [] { return MetricSnapshot{}; };
    for (const char* address : {"", "head", "head:", ":9090", "127.0.0.1:99999"}) {
        const auto server = MetricsServer::start(address, fill);
        ASSERT_FALSE(server) << address;
        EXPECT_EQ(server.error().code, ErrorCode::invalid) << address;
    }
    const auto first = MetricsServer::start("0", fill);
    ASSERT_TRUE(first) << first.error().message;
    const std::string taken = "127.0.0.1:" + std::to_string((*first)->port());
    const auto second = MetricsServer::start(taken, fill);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find(taken), std::string::npos);
}

}  // namespace
}  // namespace farm
