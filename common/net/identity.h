#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "common/core/error.h"
#include "schemas/messages.h"

namespace farm {

/// The roles that a key may take.
class RoleSet {
  public:
    constexpr RoleSet() = default;
    constexpr RoleSet(std::initializer_list<Role> roles) {
        for (Role role : roles) add(role);
    }
    static constexpr RoleSet any() {
        return {Role::client, Role::worker, Role::broker, Role::admin};
    }

    constexpr void add(Role role) { bits_ |= bit(role); }
    constexpr bool has(Role role) const { return (bits_ & bit(role)) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    friend constexpr bool operator==(RoleSet, RoleSet) = default;

  private:
    static constexpr std::uint8_t bit(Role role) {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(role));
    }
    std::uint8_t bits_{0};
};

/// "client,worker": in the order of Role.
std::string to_string(RoleSet roles);
/// "client", "worker", "broker", "admin", separated by commas or blanks.
Result<RoleSet> parse_roles(std::string_view text);

/// Who is at the other end of a connection, as its key says (rule 15: never as a message says).
/// Without CURVE it is tenant "default", which may take any role, and `key` is empty.
struct Identity {
    std::string tenant{"default"};
    RoleSet roles{RoleSet::any()};
    std::string key;  ///< CURVE public key, Z85

    friend bool operator==(const Identity&, const Identity&) = default;
};

/// Identity as ZAP's user id ("tenant\nroles\nkey"), which every received frame carries.
std::string to_user_id(const Identity& identity);
/// Nothing when the text was not made by to_user_id.
std::optional<Identity> parse_user_id(std::string_view text);

}  // namespace farm
