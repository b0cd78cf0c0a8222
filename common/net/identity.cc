#include "common/net/identity.h"

#include <array>

namespace farm {
namespace {

constexpr std::array<Role, 4> all_roles{Role::client, Role::worker, Role::broker, Role::admin};

// Not schemas' to_string: this text is part of the user id and of key files.
constexpr std::string_view role_name(Role role) {
    switch (role) {
        case Role::client: return "client";
        case Role::worker: return "worker";
        case Role::broker: return "broker";
        case Role::admin: return "admin";
    }
    return "";
}

std::optional<Role> role_of(std::string_view name) {
    for (Role role : all_roles) {
        if (role_name(role) == name) return role;
    }
    return std::nullopt;
}

}  // namespace

std::string to_string(RoleSet roles) {
    std::string text;
    for (Role role : all_roles) {
        if (!roles.has(role)) continue;
        if (!text.empty()) text += ',';
        text += role_name(role);
    }
    return text;
}

Result<RoleSet> parse_roles(std::string_view text) {
    RoleSet roles;
    constexpr std::string_view separators = ", \t\r";
    while (true) {
        const auto begin = text.find_first_not_of(separators);
        if (begin == std::string_view::npos) break;
        text.remove_prefix(begin);
        const std::string_view name = text.substr(0, text.find_first_of(separators));
        const auto role = role_of(name);
        if (!role) {
            return fail(ErrorCode::invalid, "unknown role '" + std::string(name) +
                                                "': write client, worker, broker or admin");
        }
        roles.add(*role);
        text.remove_prefix(name.size());
    }
    if (roles.empty()) {
        return fail(ErrorCode::invalid, "no role given: write client, worker, broker or admin");
    }
    return roles;
}

std::string to_user_id(const Identity& identity) {
    return identity.tenant + '\n' + to_string(identity.roles) + '\n' + identity.key;
}

std::optional<Identity> parse_user_id(std::string_view text) {
    const auto first = text.find('\n');
    if (first == std::string_view::npos || first == 0) return std::nullopt;
    const auto second = text.find('\n', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    const auto roles = parse_roles(text.substr(first + 1, second - first - 1));
    if (!roles) return std::nullopt;
    return Identity{std::string(text.substr(0, first)), *roles,
                    std::string(text.substr(second + 1))};
}

}  // namespace farm
