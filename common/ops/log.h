#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "common/core/error.h"
#include "schemas/machine.h"

namespace farm {

enum class LogLevel : std::uint8_t { trace, debug, info, warning, error, off };

/// "trace", "debug", "info", "warning", "error", "off".
Result<LogLevel> parse_log_level(std::string_view text);

struct LogOptions {
    std::string program;  ///< name in every line
    LogLevel level{LogLevel::info};
    bool json{false};  ///< one JSON object per line
};

/// One `key=value` of a line. Numbers and bools stay what they are in JSON.
struct LogField {
    std::string_view key;
    std::string value;
    bool quoted{true};

    LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
    LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
    LogField(std::string_view k, const char* v) : key(k), value(v) {}
    LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), quoted(false) {}
    LogField(std::string_view k, std::integral auto v)
        : key(k), value(std::to_string(v)), quoted(false) {}
    LogField(std::string_view k, double v) : key(k), value(std::to_string(v)), quoted(false) {}
};
using LogFields = std::initializer_list<LogField>;

/// Sets the process's log up: to stderr, in colour on a terminal, with sd-daemon priorities and no
/// time under the systemd journal (which has its own). Call once, before other threads log.
/// Until then lines go out as with default options. Text from outside is escaped.
void start_log(const LogOptions& options);

/// Whether a line of this level would be written: ask before an expensive field.
bool log_enabled(LogLevel level);

/// Thread-safe; never throws; a line is written at once and in one piece.
void log(LogLevel level, std::string_view text, LogFields fields = {}) noexcept;
/// What a machine says.
void log(const Note& note) noexcept;
inline void log_debug(std::string_view text, LogFields fields = {}) {
    log(LogLevel::debug, text, fields);
}
inline void log_info(std::string_view text, LogFields fields = {}) {
    log(LogLevel::info, text, fields);
}
inline void log_warning(std::string_view text, LogFields fields = {}) {
    log(LogLevel::warning, text, fields);
}
inline void log_error(std::string_view text, LogFields fields = {}) {
    log(LogLevel::error, text, fields);
}

/// One line without the line end: what `log` writes. For tests.
std::string format_log_line(const LogOptions& options, LogLevel level, std::string_view text,
                            LogFields fields, std::string_view time);

}  // namespace farm
