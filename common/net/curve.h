#pragma once

#include <string>
#include <string_view>

#include "common/core/error.h"
#include "common/net/identity.h"

namespace farm {

/// A CURVE key pair, both halves as Z85 (40 characters).
struct KeyPair {
    std::string public_key;
    std::string secret_key;
};

/// What a listening socket needs.
struct CurveServer {
    KeyPair own;
    /// Any key may connect, and is nobody in particular; else the process's ZapServer decides.
    bool any_key{false};
};

/// What a connecting socket needs: its own keys, and whom it expects to meet.
struct CurveClient {
    KeyPair own;
    std::string server_key;
};

/// 40 characters of Z85 that decode.
bool is_curve_key(std::string_view text);

/// Fresh random keys. Error (internal) when libzmq was built without CURVE.
Result<KeyPair> generate_key_pair();

/// Writes `<prefix>.secret` (mode 0600) and `<prefix>.pub` (with tenant and roles, ready for an
/// allow-list folder). Never overwrites; on an error neither file is left behind.
/// `tenant` may be empty: the allow list then takes the file's name.
Result<void> write_key_pair(const KeyPair& keys, const std::string& prefix,
                            const std::string& tenant, RoleSet roles);

/// Reads a `.secret` file and derives the public half. Refuses (unauthorized) a file that group or
/// others may read.
Result<KeyPair> read_key_pair(const std::string& path);

/// A public key given as itself or as the path of a `.pub` file.
Result<std::string> read_public_key(const std::string& key_or_path);

}  // namespace farm
