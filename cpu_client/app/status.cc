#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "common/net/url.h"
#include "cpu_client/app/command.h"
#include "cpu_client/app/connection.h"
#include "cpu_client/app/exit_code.h"
#include "cpu_client/app/status_text.h"

namespace farm {

namespace {

constexpr std::string_view clear_screen = "\x1b[H\x1b[2J";

struct Flags {
    ConnectionFlags connection;
    bool watch{false};
    bool json{false};
    double interval_s{1};
};

/// A connection to each broker of the list, because each only knows its own side.
struct Asked {
    std::string address;
    Client client;
    std::optional<StatusReport> before;
    TimePoint asked_at;
};

Result<std::vector<Asked>> connect_each(const ConnectionFlags& flags) {
    const auto addresses = resolve_brokers(flags.broker);
    if (!addresses) return tl::unexpected(addresses.error());
    std::vector<Asked> asked;
    for (const std::string& address : *addresses) {
        auto client = Client::connect(address, client_config(flags));
        if (!client) return tl::unexpected(client.error());
        asked.push_back({address, std::move(*client), std::nullopt, {}});
    }
    return asked;
}

/// The text of one broker; it remembers the report for the rates of the next look.
Result<std::string> look(Asked& asked, const Flags& flags) {
    auto report = asked.client.status(timeout(flags.connection));
    if (!report) return tl::unexpected(report.error());
    const TimePoint now = steady_now();
    const StatusView view{asked.address, *report};
    std::string text;
    if (flags.json) {
        text = status_json(view);
    } else if (asked.before) {
        const double seconds = std::chrono::duration<double>(now - asked.asked_at).count();
        const DoneRates rates = done_rates(*asked.before, *report, seconds);
        text = status_text(view, &rates);
    } else {
        text = status_text(view, nullptr);
    }
    asked.before = std::move(*report);
    asked.asked_at = now;
    return text;
}

/// All brokers once. One that is not there does not hide the others; the exit code tells of it.
int show(std::vector<Asked>& brokers, const Flags& flags, std::string_view before) {
    int code = 0;
    std::string text(before);
    std::vector<Error> problems;
    for (Asked& asked : brokers) {
        const auto one = look(asked, flags);
        if (one) {
            text += (&asked == &brokers.front() || flags.json ? "" : "\n") + *one;
        } else {
            problems.push_back(one.error());
        }
    }
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
    for (const Error& problem : problems) code = report(problem);
    return code;
}

int run(const Flags& flags) {
    std::optional<Signals> signals;
    if (flags.watch) signals.emplace();  // before the clients have threads
    auto brokers = connect_each(flags.connection);
    if (!brokers) return report(brokers.error());
    if (!flags.watch) return show(*brokers, flags, "");
    const std::string_view before = ::isatty(STDOUT_FILENO) != 0 && !flags.json ? clear_screen : "";
    const auto interval = std::chrono::milliseconds(static_cast<int>(flags.interval_s * 1000));
    int code = 0;
    do {
        code = show(*brokers, flags, before);
    } while (!wait_for_stop(*signals, interval));
    return code;
}

}  // namespace

Command declare_status(CLI::App& tool) {
    auto flags = std::make_shared<Flags>();
    CLI::App* app = tool.add_subcommand(
        "status", "Who is there, what is queued, how fast, and what failed to load");
    app->add_flag("--watch", flags->watch, "Again and again until Ctrl-C");
    app->add_option("--interval", flags->interval_s, "Seconds between two looks")
        ->check(CLI::Range(0.1, 3600.0))
        ->capture_default_str();
    app->add_flag("--json", flags->json, "Print JSON, one object for each broker");
    add_connection_flags(*app, flags->connection);
    app->footer(
        "Examples:\n"
        "  farm status --watch\n"
        "  farm status --broker tcp://head:5600,tcp://head2:5600 --json");
    return {app, [flags] { return run(*flags); }};
}

}  // namespace farm
