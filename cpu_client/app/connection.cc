#include "cpu_client/app/connection.h"

#include <algorithm>
#include <cstdlib>

#include <poll.h>

#include "common/ops/log.h"
#include "cpu_client/app/child_farm.h"

namespace farm {

namespace {

void write_note(NoteLevel level, const std::string& text) {
    switch (level) {
        case NoteLevel::debug: return log_debug(text);
        case NoteLevel::info: return log_info(text);
        case NoteLevel::warning: return log_warning(text);
        case NoteLevel::error: return log_error(text);
    }
}

bool is_named(const ServiceAd& service, const std::string& name) {
    return service.model == name || service_name(service.model, service.version) == name;
}

}  // namespace

void add_connection_flags(CLI::App& app, ConnectionFlags& flags) {
    app.add_option("--broker", flags.broker, "Brokers: tcp://HOST:PORT,... or @FILE or srv://NAME")
        ->each([&flags](const std::string&) { flags.has_broker = true; })
        ->capture_default_str();
    app.add_option("--key", flags.key, "CURVE key pair: .secret file made by `farm keygen`");
    app.add_option("--broker-key", flags.broker_key, "Public key of the brokers, or its .pub file");
    app.add_option("--token", flags.token, "Shown to brokers that ask for one");
    app.add_option("--direct", flags.direct,
                   "Calls straight to workers: automatic (when it pays), never or always")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, DirectUse>{{"automatic", DirectUse::automatic},
                                             {"never", DirectUse::never},
                                             {"always", DirectUse::always}},
            CLI::ignore_case))
        ->default_str("automatic");
    app.add_option("--same-host", flags.same_host,
                   "Direct calls to workers on this host through shared memory: on or off")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, bool>{{"on", true}, {"off", false}}, CLI::ignore_case))
        ->default_str("on");
    app.add_option("--timeout", flags.timeout_s, "Seconds to wait for a broker")
        ->check(CLI::Range(0.001, 86400.0))
        ->capture_default_str();
}

void add_local_flags(CLI::App& app, LocalFlags& flags) {
    CLI::Option* local =
        app.add_flag("--local", flags.local,
                     "Run the model here, in a private farm; with --broker only if none answers");
    app.add_option("--models", flags.models, "Model repository for --local")
        ->needs(local)
        ->capture_default_str();
}

std::chrono::nanoseconds duration_of(double seconds) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(seconds));
}

std::chrono::nanoseconds timeout(const ConnectionFlags& flags) {
    return duration_of(flags.timeout_s) + std::chrono::seconds(1);
}

ClientConfig client_config(const ConnectionFlags& flags, Role role) {
    ClientConfig config;
    config.token = flags.token;
    config.key_file = flags.key;
    config.server_key = flags.broker_key;
    config.give_up_after = duration_of(flags.timeout_s);
    config.direct = flags.direct;
    config.same_host = flags.same_host;
    config.role = role;
    config.log = write_note;
    return config;
}

Result<Client> connect(const ConnectionFlags& flags, Role role) {
    return Client::connect(flags.broker, client_config(flags, role));
}

Result<Client> connect(const ConnectionFlags& flags, const LocalFlags& local) {
    if (!local.local) return connect(flags);
    if (local.models.empty()) {
        return fail(ErrorCode::invalid,
                    "--local has no model repository (the model runs here): give --models");
    }
    ::setenv("FARM_BIN_DIR", program_folders().c_str(), 0);
    ClientConfig config = client_config(flags);
    config.local_models = local.models;
    return Client::connect(flags.has_broker ? flags.broker : "", std::move(config));
}

Result<CatalogEntry> find_model(Client& client, const std::string& name,
                                std::chrono::nanoseconds timeout) {
    const auto catalog = client.models(timeout);
    if (!catalog) return tl::unexpected(catalog.error());
    const CatalogEntry* best = nullptr;
    std::string known;
    for (const CatalogEntry& entry : *catalog) {
        if (is_named(entry.service, name) &&
            (best == nullptr || entry.service.version > best->service.version)) {
            best = &entry;
        }
        if (known.size() < limits::detail_bytes / 2) {
            known += (known.empty() ? "" : ", ") +
                     service_name(entry.service.model, entry.service.version);
        }
    }
    if (best != nullptr) return *best;
    return fail(ErrorCode::not_found, "model '" + name +
                                          "' is offered by no worker (the farm has " +
                                          (known.empty() ? "no models" : known) +
                                          "): see `farm models` and `farm status`");
}

bool wait_for_stop(Signals& signals, std::chrono::milliseconds duration) {
    pollfd descriptor{signals.fd(), POLLIN, 0};
    ::poll(&descriptor, 1, static_cast<int>(std::max<std::int64_t>(duration.count(), 0)));
    return signals.take().has_value();
}

}  // namespace farm
