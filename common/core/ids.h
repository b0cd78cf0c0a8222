#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace farm {

/// A number that names something: two kinds of it cannot be mixed up. 0 means "none".
template <class Tag, class Number = std::uint64_t>
struct OpaqueId {
    Number value{0};

    constexpr explicit operator bool() const { return value != 0; }
    friend constexpr auto operator<=>(OpaqueId, OpaqueId) = default;
};

/// 128 random bits: chosen by whoever makes the thing, unique without asking anybody.
template <class Tag>
struct RandomId {
    std::array<std::uint8_t, 16> bytes{};

    /// For comparing and hashing; their order is the machine's.
    struct Halves {
        std::uint64_t first{0};
        std::uint64_t second{0};
        friend bool operator==(const Halves&, const Halves&) = default;
    };
    Halves halves() const { return std::bit_cast<Halves>(bytes); }

    explicit operator bool() const { return halves() != Halves{}; }
    friend bool operator==(const RandomId& a, const RandomId& b) {
        return a.halves() == b.halves();
    }
    friend auto operator<=>(const RandomId&, const RandomId&) = default;

    static constexpr RandomId from_words(std::uint64_t high, std::uint64_t low) {
        RandomId id;
        for (int i = 0; i < 8; ++i) {
            id.bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
            id.bytes[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
        }
        return id;
    }
};

using LinkId = OpaqueId<struct LinkTag>;        ///< one connection, named by the rim; never reused
using SessionId = OpaqueId<struct SessionTag>;  ///< one HELLO/WELCOME, named by the broker
using PayloadId = OpaqueId<struct PayloadTag>;  ///< bytes that the rim keeps for a machine
using RunId = OpaqueId<struct RunTag>;          ///< one batch given to a backend
using ServiceIndex = OpaqueId<struct ServiceTag, std::uint16_t>;  ///< named by the worker, from 1

using CallId = RandomId<struct CallTag>;
using PeerId = RandomId<struct PeerTag>;    ///< one process; a restarted one may keep it
using Secret = RandomId<struct SecretTag>;  ///< binds a bulk socket to its session

/// One try of one call. Attempts count from 1.
struct CallKey {
    CallId id;
    std::uint8_t attempt{1};

    friend auto operator<=>(const CallKey&, const CallKey&) = default;
};

/// The first 12 hex digits, enough to find a call in a log.
template <class Tag>
std::string short_hex(const RandomId<Tag>& id) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (int i = 0; i < 6; ++i) {
        text += digits[id.bytes[i] >> 4];
        text += digits[id.bytes[i] & 15];
    }
    return text;
}

}  // namespace farm

template <class Tag, class Number>
struct std::hash<farm::OpaqueId<Tag, Number>> {
    std::size_t operator()(farm::OpaqueId<Tag, Number> id) const noexcept {
        return std::hash<Number>{}(id.value);
    }
};

/// The ids are random already, but a peer may choose them: both halves count.
template <class Tag>
struct std::hash<farm::RandomId<Tag>> {
    std::size_t operator()(const farm::RandomId<Tag>& id) const noexcept {
        const auto [first, second] = id.halves();
        return static_cast<std::size_t>(first ^ (second * 0x9e3779b97f4a7c15ULL));
    }
};

template <>
struct std::hash<farm::CallKey> {
    std::size_t operator()(const farm::CallKey& key) const noexcept {
        return std::hash<farm::CallId>{}(key.id) + key.attempt;
    }
};
