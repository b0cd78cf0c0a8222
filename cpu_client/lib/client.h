#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/error.h"
#include "cpu_client/core/direct_use.h"
#include "cpu_client/lib/future.h"
#include "cpu_client/lib/inference.h"
#include "cpu_client/lib/input.h"
#include "schemas/limits.h"
#include "schemas/machine.h"

/// Calls a model on the farm as if it were a function:
///
///     auto client = farm::Client::connect("tcp://head:5600,tcp://head2:5600");
///     if (!client) return complain(client.error().message);
///     farm::Future<farm::Inference> future =
///         client->infer("gnn", {{"nodes", farm::tensor<float>({n, 3}, nodes)},
///                               {"edge_index", farm::tensor<std::int64_t>({2, m}, edges)}},
///                       {.deadline = 10s});
///     farm::Inference result = future.get();
///     const auto scores = result.output("scores").as<float>();   // Result<std::span<const float>>
///     if (!scores) return complain(scores.error().message);      // also when the call failed
namespace farm {

struct ClientConfig {
    std::string name;                         ///< for people; empty: host/pid
    std::string token;                        ///< shown to brokers that ask for one
    std::string server_key;                   ///< CURVE: the brokers' public key, or its .pub file
    std::string key_file;                     ///< CURVE: our .secret file (`farm keygen`)
    std::filesystem::path quarantine_folder;  ///< inputs of POISON calls go here; empty: nowhere
    std::chrono::nanoseconds give_up_after{std::chrono::seconds(10)};  ///< no broker: UNAVAILABLE
    BackOff back_off;
    Role role{Role::client};  ///< admin: for drain()
    /// Calls may go straight to a worker that can be reached, without a broker between.
    DirectUse direct{DirectUse::automatic};
    /// Direct calls to workers on this host, of this user, go over a Unix socket and shared memory.
    bool same_host{true};
    /// A thread of the client's own, started with the first call, drives the loop when no thread
    /// waits: for callbacks, and so that the session lives on between calls. Without it callbacks
    /// run only inside waits, and a pause of some seconds costs a reconnection.
    bool background_thread{true};
    /// Local mode: a model repository. With an empty broker list a private broker and worker on
    /// this machine serve it; with a list they do when no broker answers within `local_after`.
    std::filesystem::path local_models;
    std::vector<std::string> local_worker_arguments;  ///< more flags of that farm-worker
    std::chrono::nanoseconds local_after{std::chrono::seconds(5)};
    std::chrono::nanoseconds local_ready_within{std::chrono::seconds(120)};  ///< models loaded
    /// What the client wants to say (connections, breaks). Called on whichever thread drives the
    /// loop; must not call the client.
    std::function<void(NoteLevel, const std::string&)> log;
};

struct CallOptions {
    std::chrono::nanoseconds deadline{default_deadline};  ///< from infer(); at most 24 h
    std::uint8_t priority{100};                           ///< smaller is served first
    std::uint64_t max_result_bytes{0};                    ///< 0: as the model's signature says
    bool idempotent{true};  ///< false: never sent again once it may have started
};

class ClientEngine;
class LocalFarm;
class SharedArena;

/// A connection to the farm, for as many calls at a time as wanted.
///
/// Each call ends with exactly one status, at the latest one beat after its deadline, whatever
/// dies; the client chooses the broker, fails over and sends again what may be sent again. It never
/// throws for what happens outside; errors are Inference::status and ::detail. Threads: all members
/// may be called from any thread at any time, but not while it is moved or destroyed. A thread that
/// waits does the network work itself when no other does. Bounds:
/// limits::waiting_calls_per_client_count calls and waiting_bytes_per_client bytes of inputs under
/// way; what is more ends OVERLOADED at once. Destroying it ends the open calls CANCELLED and the
/// private farm of local mode.
class Client {
  public:
    using Callback = std::function<void(Inference)>;

    /// `brokers`: "tcp://a:5600,tcp://b:5600", "@file" or "srv://name"; may be empty in local mode.
    /// Checks the configuration and begins to connect in the background of the first call: a broker
    /// that is not there shows in the calls. Blocks for DNS names and, in local mode, until the
    /// models are loaded. Errors: a bad address or key, local mode that cannot start.
    static Result<Client> connect(std::string_view brokers, ClientConfig config = {});

    Client(Client&& other) noexcept;
    Client& operator=(Client&& other) noexcept;
    ~Client();

    /// `model` is "name" (its highest version) or "name/version".
    Future<Inference> infer(std::string model, const Inputs& inputs, CallOptions options = {});
    /// The same; `callback` runs on the thread that drives the loop (this one, when the inputs are
    /// refused). It should be short, may call infer() and cancel(), and must not throw.
    CallId infer(std::string model, const Inputs& inputs, CallOptions options, Callback callback);
    /// Memory for an input, not initialised, aligned to 64 bytes at least: fill it, freeze() it and
    /// give it to tensor(). A worker on this host reads it where it lies; other workers are sent
    /// it as any Buffer. Released as any Buffer, also after the Client. Throws std::bad_alloc.
    ///
    ///     farm::MutableBuffer block = client->allocate(3 * n * sizeof(float));
    ///     fill(block.bytes());
    ///     client->infer("gnn", {{"nodes", farm::tensor<float>({n, 3},
    ///     std::move(block).freeze())}});
    MutableBuffer allocate(std::size_t size_bytes);

    /// The call ends CANCELLED if it has not ended; it is removed everywhere.
    void cancel(CallId id);

    /// What the farm offers.
    Result<std::vector<CatalogEntry>> models(
        std::chrono::nanoseconds timeout = std::chrono::seconds(10));
    /// Who is there and what is queued, as the broker in use sees it.
    Result<StatusReport> status(std::chrono::nanoseconds timeout = std::chrono::seconds(10));
    /// Tells a worker (or, with "", the broker in use) to finish and leave. Needs Role::admin.
    Result<StatusReport> drain(std::string worker,
                               std::chrono::nanoseconds timeout = std::chrono::seconds(10));

    /// Whether there is a session, waiting for it up to `timeout`.
    bool wait_connected(std::chrono::nanoseconds timeout);
    /// Local mode has started a private farm.
    bool is_local() const { return local_ != nullptr; }

  private:
    Client(std::unique_ptr<LocalFarm> local, std::shared_ptr<SharedArena> arena,
           std::shared_ptr<ClientEngine> engine);

    static Result<Client> connect_local(const ClientConfig& config);
    Result<void> wait_for_models(std::chrono::nanoseconds timeout);
    void close();

    std::unique_ptr<LocalFarm> local_;
    std::shared_ptr<SharedArena> arena_;  ///< null: without same host
    std::shared_ptr<ClientEngine> engine_;
};

}  // namespace farm
