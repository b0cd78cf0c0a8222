#include "common/net/url.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(UrlTest, TcpAddressesRoundTrip) {
    for (const char* text : {"tcp://head:5600", "tcp://10.0.0.1:1", "tcp://[fe80::1]:65535",
                             "ipc:///run/farm/b.sock", "ipc://@abstract"}) {
        const auto url = parse_url(text);
        ASSERT_TRUE(url) << url.error().message;
        EXPECT_EQ(url->text(), text);
    }
}

TEST(UrlTest, LocalhostIsTheIpv4Loopback) {
    EXPECT_EQ(parse_url("tcp://localhost:5600")->text(), "tcp://127.0.0.1:5600");
}

TEST(UrlTest, WildcardsCanOnlyBeBound) {
    EXPECT_EQ(parse_bind_url("tcp://*:5600")->text(), "tcp://*:5600");
    EXPECT_EQ(parse_bind_url("tcp://*:0")->text(), "tcp://*:*");
    EXPECT_EQ(parse_bind_url("tcp://127.0.0.1:*")->port, 0);
    for (const char* text : {"tcp://*:5600", "tcp://head:0", "tcp://head:*", "ipc://*"}) {
        EXPECT_FALSE(parse_url(text)) << text;
    }
}

TEST(UrlTest, BadAddressesAreNamed) {
    for (const char* text : {"", "head:5600", "http://head:5600", "tcp://", "tcp://head",
                             "tcp://:5600", "tcp://head:65536", "tcp://head:-1", "tcp://head:5600x",
                             "tcp://he ad:5600", "tcp://a:b:5600", "tcp://[::1]", "tcp://[zz]:1",
                             "tcp://head:56\n00", "ipc://", "ipc://@", "tcp://he/ad:1"}) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().code, ErrorCode::invalid);
        EXPECT_NE(url.error().message.find("tcp://host:port"), std::string::npos);
    }
    EXPECT_FALSE(parse_url("tcp://" + std::string(300, 'a') + ":1"));
    EXPECT_FALSE(parse_url("ipc:///" + std::string(107, 'a')));
}

TEST(UrlTest, LoopbackAndIpcAreLocal) {
    for (const char* text : {"tcp://127.0.0.1:1", "tcp://127.8.9.1:1", "tcp://[::1]:1",
                             "tcp://localhost:1", "ipc:///a"}) {
        EXPECT_TRUE(parse_bind_url(text)->local()) << text;
    }
    for (const char* text : {"tcp://*:1", "tcp://0.0.0.0:1", "tcp://[::]:1", "tcp://10.0.0.1:1",
                             "tcp://127.0.0.1.evil.org:1", "tcp://head:1"}) {
        EXPECT_FALSE(parse_bind_url(text)->local()) << text;
    }
}

TEST(UrlTest, AnnouncedWildcardTakesTheDialledHost) {
    EXPECT_EQ(reachable_url("tcp://[::]:5601", "tcp://head:5600"), "tcp://head:5601");
    EXPECT_EQ(reachable_url("tcp://0.0.0.0:5601", "tcp://10.0.0.1:5600"), "tcp://10.0.0.1:5601");
    EXPECT_EQ(reachable_url("tcp://bulk:5601", "tcp://head:5600"), "tcp://bulk:5601");
    EXPECT_EQ(reachable_url("ipc:///b", "tcp://head:5600"), "ipc:///b");
    EXPECT_EQ(reachable_url("nonsense", "tcp://head:5600"), "nonsense");
}

TEST(BindSecurityTest, TcpBeyondLoopbackNeedsKeysOrConsent) {
    const Url open = *parse_bind_url("tcp://*:5600");
    const Url loopback = *parse_bind_url("tcp://127.0.0.1:5600");
    const auto refused = check_bind_security(open, false, false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unauthorized);
    EXPECT_NE(refused.error().message.find("--insecure"), std::string::npos);
    EXPECT_TRUE(check_bind_security(open, true, false));
    EXPECT_TRUE(check_bind_security(open, false, true));
    EXPECT_TRUE(check_bind_security(loopback, false, false));
    EXPECT_TRUE(check_bind_security(*parse_bind_url("ipc:///a"), false, false));
}

}  // namespace
}  // namespace farm
