#include "schemas/lease.h"

#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/core/expect.h"

namespace farm {
namespace {

void append(std::string& text, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(number >> shift);
}

/// With its length in front, so that no two terms read the same.
void append(std::string& text, std::string_view part) {
    append(text, part.size());
    text += part;
}

std::string signed_text(const LeaseTerms& terms) {
    std::string text = "farm lease 1";
    for (const std::uint8_t byte : terms.client.bytes) text += static_cast<char>(byte);
    append(text, terms.service);
    append(text, terms.grant.lease);
    append(text, terms.grant.request_count);
    append(text, terms.grant.device_bytes);
    append(text, terms.grant.expires_ms);
    append(text, terms.grant.tenant);
    append(text, terms.grant.worker.value);
    return text;
}

}  // namespace

std::string seal(const Secret& key, const LeaseTerms& terms) {
    const std::string text = signed_text(terms);
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned int size = 0;
    const auto* made =
        HMAC(EVP_sha256(), key.bytes.data(), static_cast<int>(key.bytes.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
    FARM_ENSURE(made != nullptr && size == 32);
    return {reinterpret_cast<const char*>(mac.data()), size};
}

bool is_sealed(const Secret& key, const LeaseTerms& terms) {
    const std::string expected = seal(key, terms);
    return terms.grant.mac.size() == expected.size() &&
           CRYPTO_memcmp(terms.grant.mac.data(), expected.data(), expected.size()) == 0;
}

}  // namespace farm
