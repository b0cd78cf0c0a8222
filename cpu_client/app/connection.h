#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "common/core/error.h"
#include "common/ops/signals.h"
#include "cpu_client/lib/client.h"

namespace farm {

/// The flags of every command that talks to a broker.
struct ConnectionFlags {
    std::string broker{"tcp://127.0.0.1:5600"};
    bool has_broker{false};  ///< it was given
    std::string key;
    std::string broker_key;
    std::string token;
    double timeout_s{10};
    DirectUse direct{DirectUse::automatic};
    bool same_host{true};
};

void add_connection_flags(CLI::App& app, ConnectionFlags& flags);

/// Those of commands that can do without a farm.
struct LocalFlags {
    bool local{false};
    std::string models;  ///< a model repository
};

void add_local_flags(CLI::App& app, LocalFlags& flags);

/// The client's configuration for these flags; its notes go to the log.
ClientConfig client_config(const ConnectionFlags& flags, Role role = Role::client);
Result<Client> connect(const ConnectionFlags& flags, Role role = Role::client);
/// With --local to a private farm here that serves the repository; with --broker as well, only if
/// none of them answers. It finds our programs in a build tree, too.
Result<Client> connect(const ConnectionFlags& flags, const LocalFlags& local);

/// Of a flag in seconds.
std::chrono::nanoseconds duration_of(double seconds);

/// How long a question may take: a little more than --timeout, so that the client's own error comes
/// first, which names the addresses.
std::chrono::nanoseconds timeout(const ConnectionFlags& flags);

/// What the farm offers under "model" (its highest version) or "model/version". Errors: not_found,
/// with the names that there are; unavailable.
Result<CatalogEntry> find_model(Client& client, const std::string& name,
                                std::chrono::nanoseconds timeout);

/// Waits until `until` or for Ctrl-C; true for Ctrl-C.
bool wait_for_stop(Signals& signals, std::chrono::milliseconds duration);

}  // namespace farm
