#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace farm {

/// What kind of thing went wrong; decides the exit code of a program and the outcome of a call.
enum class ErrorCode : std::uint8_t {
    invalid,       ///< input from outside breaks a rule: message, file, flag, tensor, model
    not_found,     ///< a named thing is not there: file, model, version, tensor
    too_large,     ///< a limit of schemas/limits.h or of a configuration would be passed
    unauthorized,  ///< the key or token does not allow it
    unavailable,   ///< a peer or device cannot be reached now
    protocol,      ///< bytes that are not our protocol, or another version of it
    io,            ///< the operating system said no
    device,        ///< an accelerator or a backend failed while running
    internal,      ///< a library behaved in a way that its documentation excludes
};

/// A failure told to a person: problem (why it is one) what to do.
/// `message` names the field, the value and the limit; it never ends in a full stop or newline.
struct Error {
    ErrorCode code{ErrorCode::internal};
    std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

/// Cold, so that the compiler keeps the making of error texts out of the way of what works.
[[gnu::cold]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message)});
}

constexpr std::string_view to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid: return "invalid";
        case ErrorCode::not_found: return "not found";
        case ErrorCode::too_large: return "too large";
        case ErrorCode::unauthorized: return "unauthorized";
        case ErrorCode::unavailable: return "unavailable";
        case ErrorCode::protocol: return "protocol";
        case ErrorCode::io: return "i/o";
        case ErrorCode::device: return "device";
        case ErrorCode::internal: return "internal";
    }
    return "unknown";
}

}  // namespace farm
