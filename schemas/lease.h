#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/core/ids.h"
#include "schemas/messages.h"

namespace farm {

/// Who may do what with a grant: what the client says of itself and what the grant says. The seal
/// covers all of it, so nobody but the broker of that session can make or change a lease (rule 13).
struct LeaseTerms {
    PeerId client;
    std::string_view service;  ///< as in CALL
    const LeaseGrant& grant;   ///< all but url, worker_key, same_host, valid_ms, mac
};

/// HMAC-SHA256 (RFC 2104) of the terms under the key that the worker made for this session with
/// the broker; 32 bytes.
std::string seal(const Secret& key, const LeaseTerms& terms);

/// Whether grant.mac is that seal; takes the same time whatever differs.
bool is_sealed(const Secret& key, const LeaseTerms& terms);

}  // namespace farm
