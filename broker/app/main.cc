#include <cstdio>

#include <CLI/CLI.hpp>

#include "broker/app/broker_loop.h"
#include "common/core/version.h"
#include "common/net/context.h"
#include "common/net/curve.h"
#include "common/net/url.h"
#include "common/net/zap.h"
#include "common/ops/config.h"
#include "common/ops/host.h"
#include "common/ops/log.h"
#include "common/ops/random.h"

namespace {

using namespace farm;

struct Flags {
    std::vector<std::string> bind{"tcp://*:5600"};
    std::vector<std::string> bulk_bind;
    std::string announce_bulk;
    std::string name;
    std::string key;
    std::string allow;
    bool insecure{false};
    std::string policy{"least_finish"};
    std::string metrics;
    std::uint32_t beat_ms{1000};
    std::uint64_t queue_bytes{limits::queued_bytes};
    std::size_t queue_calls{limits::queued_calls_per_service_count};
    std::uint32_t drain_seconds{30};
};

void declare(CLI::App& app, Flags& flags) {
    app.add_option("--bind", flags.bind,
                   "Addresses to listen on, for example tcp://*:5600 or ipc:///run/farm.sock")
        ->capture_default_str();
    app.add_option("--bulk-bind", flags.bulk_bind,
                   "Addresses for large tensors (default: the next port, or PATH.bulk)");
    app.add_option("--announce-bulk", flags.announce_bulk,
                   "Bulk address told to peers, when they see another one than this host does");
    app.add_option("--name", flags.name, "Name in logs and status (default: host/pid)");
    app.add_option("--key", flags.key, "CURVE key pair: file made by `farm keygen`");
    app.add_option("--allow", flags.allow, "Folder of public keys (*.pub) that may connect");
    app.add_flag("--insecure", flags.insecure, "Listen on the network without CURVE");
    app.add_option("--policy", flags.policy, "least_finish, round_robin or random")
        ->capture_default_str();
    app.add_option("--metrics", flags.metrics, "Serve Prometheus metrics on HOST:PORT");
    app.add_option("--beat-ms", flags.beat_ms, "Interval of life signs")
        ->check(CLI::Range(10, 60'000))
        ->capture_default_str();
    app.add_option("--queue-bytes", flags.queue_bytes, "Bytes that may wait in all queues")
        ->capture_default_str();
    app.add_option("--queue-calls", flags.queue_calls, "Calls that may wait for one service")
        ->capture_default_str();
    app.add_option("--drain-seconds", flags.drain_seconds,
                   "Longest time to finish calls on SIGTERM")
        ->capture_default_str();
}

Result<int> serve(const Flags& flags, Signals& signals) {
    raise_open_file_limit();
    auto policy = make_scheduling_policy(flags.policy, random_u64());
    if (!policy) return tl::unexpected(policy.error());

    Context context;
    std::optional<CurveServer> curve;
    std::unique_ptr<ZapServer> zap;
    if (!flags.key.empty()) {
        auto keys = read_key_pair(flags.key);
        if (!keys) return tl::unexpected(keys.error());
        if (flags.allow.empty()) {
            return fail(ErrorCode::invalid,
                        "--key is given without --allow: name the folder of "
                        "public keys that may connect");
        }
        auto started = ZapServer::start(
            context, flags.allow,
            {[](const std::string& address, const std::string& key) {
                 log_warning("refused a key", {{"address", address}, {"key", key}});
             },
             [](const std::string& text) { log_warning("allow list: " + text); }});
        if (!started) return tl::unexpected(started.error());
        zap = std::move(*started);
        curve = CurveServer{*keys};
    }
    auto control = listen_on(context, Lane::control, flags.bind, curve, flags.insecure);
    if (!control) return tl::unexpected(control.error());
    for (const std::string& url : (*control)->addresses()) log_info("listening", {{"url", url}});
    std::vector<std::string> bulk_urls = flags.bulk_bind;
    if (bulk_urls.empty()) {
        for (const std::string& text : (*control)->addresses()) {
            bulk_urls.push_back(default_bulk_url(text));
        }
    }
    auto bulk = listen_on(context, Lane::bulk, bulk_urls, curve, flags.insecure);
    if (!bulk) return tl::unexpected(bulk.error());
    for (const std::string& url : (*bulk)->addresses()) {
        log_info("listening for large tensors", {{"url", url}});
    }

    BrokerOptions options;
    options.peer = random_id<PeerId>();
    options.epoch = start_epoch();
    options.name = flags.name.empty() ? peer_name() : flags.name;
    options.version = version;
    options.bulk_url =
        flags.announce_bulk.empty() ? (*bulk)->addresses().front() : flags.announce_bulk;
    options.timing.beat = std::chrono::milliseconds(flags.beat_ms);
    options.queued_bytes = flags.queue_bytes;
    options.queued_calls_per_service = flags.queue_calls;
    options.drain_timeout = std::chrono::seconds(flags.drain_seconds);
    options.seed = random_u64();

    SharedSnapshot snapshot;
    std::unique_ptr<MetricsServer> metrics;
    if (!flags.metrics.empty()) {
        auto started = MetricsServer::start(flags.metrics, [&snapshot] { return snapshot.read(); });
        if (!started) return tl::unexpected(started.error());
        metrics = std::move(*started);
    }
    BrokerLoop loop(
        {std::move(*control), std::move(*bulk),
         std::make_unique<BrokerMachine>(std::move(options), std::move(*policy), steady_now()),
         metrics ? &snapshot : nullptr},
        signals);
    return loop.run();
}

}  // namespace

int main(int argc, char** argv) {
    Signals signals;
    Flags flags;
    CommandLine command_line("farm-broker", "Routes calls of physics processes to workers");
    declare(command_line.app(), flags);
    if (const auto code = command_line.parse(argc, argv)) return *code;
    const auto code = serve(flags, signals);
    if (code) return *code;
    log_error(code.error().message);
    return 1;
}
