#include "schemas/lease.h"

#include <gtest/gtest.h>

#include <functional>

namespace farm {
namespace {

const Secret key = Secret::from_words(1, 2);
const PeerId client = PeerId::from_words(3, 4);

LeaseGrant grant() {
    LeaseGrant grant;
    grant.lease = 7;
    grant.request_count = 8;
    grant.device_bytes = 9;
    grant.expires_ms = 10;
    grant.tenant = "atlas";
    grant.worker = SessionId{11};
    return grant;
}

TEST(LeaseSealTest, TheSealOfOneKeyHoldsForItsTermsOnly) {
    LeaseGrant sealed = grant();
    sealed.mac = seal(key, {client, "gnn", sealed});
    EXPECT_TRUE(is_sealed(key, {client, "gnn", sealed}));
    EXPECT_FALSE(is_sealed(Secret::from_words(1, 3), {client, "gnn", sealed}));
    EXPECT_FALSE(is_sealed(key, {PeerId::from_words(3, 5), "gnn", sealed}));
    EXPECT_FALSE(is_sealed(key, {client, "gnn/1", sealed}));
}

TEST(LeaseSealTest, EveryFieldThatCountsIsCovered) {
    LeaseGrant sealed = grant();
    sealed.mac = seal(key, {client, "gnn", sealed});
    const std::function<void(LeaseGrant&)> changes[] = {
        [](LeaseGrant& g) { ++g.lease; },          [](LeaseGrant& g) { ++g.request_count; },
        [](LeaseGrant& g) { ++g.device_bytes; },   [](LeaseGrant& g) { ++g.expires_ms; },
        [](LeaseGrant& g) { g.tenant = "belle"; }, [](LeaseGrant& g) { ++g.worker.value; },
        [](LeaseGrant& g) { g.mac[31] ^= 1; },     [](LeaseGrant& g) { g.mac.clear(); },
    };
    for (const auto& change : changes) {
        LeaseGrant forged = sealed;
        change(forged);
        EXPECT_FALSE(is_sealed(key, {client, "gnn", forged}));
    }
}

/// Made with Python's hmac from the text that schemas/wire.md describes.
TEST(LeaseSealTest, IsTheHmacOfTheDocumentedText) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const char byte : seal(key, {client, "gnn", grant()})) {
        hex += digits[static_cast<unsigned char>(byte) >> 4];
        hex += digits[static_cast<unsigned char>(byte) & 15];
    }
    EXPECT_EQ(hex, "4930b10d34b0a8f69009245d0fac59a976047af4ff52b0b7c724f91968902f42");
}

TEST(LeaseSealTest, TextsCannotRunIntoOneAnother) {
    LeaseGrant a = grant();
    LeaseGrant b = grant();
    a.tenant = "";
    b.tenant = std::string(8, '\0');
    EXPECT_NE(seal(key, {client, "gnn", a}), seal(key, {client, "gnn", b}));
    EXPECT_EQ(seal(key, {client, "gnn", a}).size(), 32U);
}

}  // namespace
}  // namespace farm
