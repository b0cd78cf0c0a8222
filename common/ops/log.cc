#include "common/ops/log.h"

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace farm {
namespace {

struct LevelName {
    LogLevel level;
    std::string_view name;
    spdlog::level::level_enum spdlog_level;
    std::string_view journal_prefix;  ///< sd-daemon(3)
};

constexpr std::array<LevelName, 6> level_names{{
    {LogLevel::trace, "trace", spdlog::level::trace, "<7>"},
    {LogLevel::debug, "debug", spdlog::level::debug, "<7>"},
    {LogLevel::info, "info", spdlog::level::info, "<6>"},
    {LogLevel::warning, "warning", spdlog::level::warn, "<4>"},
    {LogLevel::error, "error", spdlog::level::err, "<3>"},
    {LogLevel::off, "off", spdlog::level::off, ""},
}};

const LevelName& names_of(LogLevel level) { return level_names[static_cast<std::size_t>(level)]; }

/// Text from outside must not be able to forge a line or move the terminal's cursor.
std::string escaped(std::string_view text, bool with_quotes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (with_quotes && (c == '"' || c == '\\')) {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += "\\u00";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        } else {
            out += c;
        }
    }
    return out;
}

bool needs_quotes(std::string_view value) {
    return value.empty() || value.find_first_of(" =\"\\") != std::string_view::npos;
}

std::string quoted(std::string_view text) { return '"' + escaped(text, true) + '"'; }

std::string json_line(const LogOptions& options, LogLevel level, std::string_view text,
                      LogFields fields, std::string_view time) {
    std::string line = "{";
    if (!time.empty()) line += "\"time\":" + quoted(time) + ",";
    line += "\"level\":" + quoted(names_of(level).name);
    line += ",\"program\":" + quoted(options.program);
    line += ",\"message\":" + quoted(text);
    for (const LogField& field : fields) {
        line += ',' + quoted(field.key) + ':';
        line += field.quoted ? quoted(field.value) : field.value;
    }
    return line + '}';
}

std::string text_line(const LogOptions& options, std::string_view text, LogFields fields) {
    std::string line = options.program.empty() ? "" : options.program + ": ";
    line += escaped(text, false);
    for (const LogField& field : fields) {
        line += ' ';
        line += field.key;
        line += '=';
        line += needs_quotes(field.value) ? quoted(field.value) : escaped(field.value, false);
    }
    return line;
}

/// systemd names the device and inode of the stream that it gave us.
bool stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat info {};
    if (!stream || ::fstat(STDERR_FILENO, &info) != 0) return false;
    return std::to_string(info.st_dev) + ':' + std::to_string(info.st_ino) == stream;
}

std::string utc_now() {
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto sub_seconds = now - std::chrono::system_clock::from_time_t(seconds);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(sub_seconds).count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text.data() + size, text.size() - size, ".%03dZ", static_cast<int>(ms));
    return text.data();
}

struct Log {
    LogOptions options;
    bool journal{false};
    std::shared_ptr<spdlog::logger> logger;

    explicit Log(LogOptions given) : options(std::move(given)), journal(stderr_is_journal()) {
        auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
        logger = std::make_shared<spdlog::logger>(options.program, std::move(sink));
        logger->set_level(names_of(options.level).spdlog_level);
        logger->set_pattern(options.json || journal ? "%v" : "%H:%M:%S.%e %^%-7l%$ %v");
    }

    void write(LogLevel level, std::string_view text, LogFields fields) const {
        std::string line = options.json
                               ? json_line(options, level, text, fields, journal ? "" : utc_now())
                               : text_line(options, text, fields);
        if (journal) line.insert(0, names_of(level).journal_prefix);
        logger->log(names_of(level).spdlog_level, spdlog::string_view_t(line.data(), line.size()));
    }
};

std::unique_ptr<Log>& current_log() {
    static std::unique_ptr<Log> log = std::make_unique<Log>(LogOptions{});
    return log;
}

}  // namespace

Result<LogLevel> parse_log_level(std::string_view text) {
    for (const LevelName& known : level_names) {
        if (known.name == text) return known.level;
    }
    return fail(ErrorCode::invalid,
                "log level '" + std::string(text) +
                    "' is unknown: write trace, debug, info, warning, error or off");
}

void start_log(const LogOptions& options) { current_log() = std::make_unique<Log>(options); }

bool log_enabled(LogLevel level) {
    return current_log()->logger->should_log(names_of(level).spdlog_level);
}

void log(LogLevel level, std::string_view text, LogFields fields) noexcept {
    try {
        if (log_enabled(level)) current_log()->write(level, text, fields);
    } catch (...) {
        // A log that cannot be written must not stop the farm, and there is nowhere to say it.
    }
}

void log(const Note& note) noexcept {
    constexpr LogLevel levels[] = {LogLevel::debug, LogLevel::info, LogLevel::warning,
                                   LogLevel::error};
    log(levels[static_cast<unsigned>(note.level)], note.text);
}

std::string format_log_line(const LogOptions& options, LogLevel level, std::string_view text,
                            LogFields fields, std::string_view time) {
    return options.json ? json_line(options, level, text, fields, time)
                        : text_line(options, text, fields);
}

}  // namespace farm
