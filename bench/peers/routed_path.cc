#include <deque>
#include <filesystem>
#include <fstream>

#include "bench/peers/echo_path.h"
#include "bench/peers/free_port.h"
#include "common/core/clock.h"
#include "common/net/curve.h"
#include "common/ops/process.h"
#include "cpu_client/lib/client.h"

namespace farm::bench {
namespace {

namespace fs = std::filesystem;

/// eventfarm: client, broker, worker with the identity backend; through the broker both ways.
class RoutedPath final : public EchoPath {
  public:
    RoutedPath(std::string name, ChildProcess broker, ChildProcess worker, Client client)
        : name_(std::move(name)),
          broker_(std::move(broker)),
          worker_(std::move(worker)),
          client_(std::move(client)) {}
    std::string name() const override { return name_; }

    Result<Sample> run(const Load& load) override {
        const std::string bytes(load.bytes, 'x');
        const Buffer question = Buffer::copy_of(std::as_bytes(std::span(bytes)));
        struct OpenCall {
            TimePoint sent;
            Future<Inference> answer;
        };
        std::deque<OpenCall> open;
        Latencies latencies;
        const auto ask = [&] {
            const TimePoint sent = steady_now();
            open.push_back(
                {sent,
                 client_.infer("identity",
                               {{"data", tensor<std::uint8_t>(
                                             {static_cast<std::int64_t>(load.bytes)}, question)}},
                               {.max_result_bytes = load.bytes})});
        };
        for (int i = 0; i < load.outstanding; ++i) ask();
        const TimePoint begin = steady_now();
        TimePoint now = begin;
        while (!open.empty()) {
            const Inference answer = open.front().answer.get();
            now = steady_now();
            if (!answer.ok()) {
                return fail(
                    ErrorCode::internal,
                    name_ + ": " + std::string(to_string(answer.status)) + ": " + answer.detail);
            }
            latencies.add(
                std::chrono::duration<double, std::micro>(now - open.front().sent).count());
            open.pop_front();
            if (now - begin < std::chrono::duration<double>(load.seconds)) ask();
        }
        return latencies.summary(std::chrono::duration<double>(now - begin).count());
    }

  private:
    std::string name_;
    ChildProcess broker_;
    ChildProcess worker_;
    Client client_;
};

Result<void> write_identity_model(const fs::path& models) {
    fs::create_directories(models / "identity");
    std::ofstream config(models / "identity" / "config.pbtxt");
    config << "name: \"identity\"\nbackend: \"reference\"\n"
              "instance_group [{ count: 1 kind: KIND_CPU }]\n";
    return config.good() ? Result<void>{}
                         : fail(ErrorCode::io, "cannot write a model configuration");
}

struct Keys {
    std::string folder;
    std::string broker_public;
};

Result<Keys> make_keys(const fs::path& scratch) {
    const Keys keys{(scratch / "keys").string(), (scratch / "keys/broker.pub").string()};
    fs::create_directories(fs::path(keys.folder) / "allow");
    const auto write = [&](const std::string& path, RoleSet roles) -> Result<void> {
        auto pair = generate_key_pair();
        if (!pair) return tl::unexpected(pair.error());
        return write_key_pair(*pair, path, "bench", roles);
    };
    for (const auto& [path, role] :
         {std::pair{"/broker", Role::broker}, std::pair{"/allow/worker", Role::worker},
          std::pair{"/allow/client", Role::client}}) {
        if (const auto done = write(keys.folder + path, {role}); !done) {
            return tl::unexpected(done.error());
        }
    }
    return keys;
}

}  // namespace

Result<std::unique_ptr<EchoPath>> make_routed_path(const PathOptions& options, bool curve) {
    const std::string name = curve ? "routed_curve" : "routed";
    const fs::path scratch = fs::path(options.scratch) / name;
    const std::string url = "tcp://127.0.0.1:" + std::to_string(free_port());
    const std::string bulk = "tcp://127.0.0.1:" + std::to_string(free_port());
    if (auto written = write_identity_model(scratch / "models"); !written) {
        return tl::unexpected(written.error());
    }
    std::vector<std::string> broker{options.broker, "--bind", url, "--bulk-bind", bulk};
    std::vector<std::string> worker{
        options.worker, "--broker", url, "--models", (scratch / "models").string(),
        "--device",     "cpu"};
    ClientConfig config;
    if (curve) {
        auto keys = make_keys(scratch);
        if (!keys) return tl::unexpected(keys.error());
        broker.insert(broker.end(), {"--key", keys->folder + "/broker.secret", "--allow",
                                     keys->folder + "/allow"});
        worker.insert(worker.end(), {"--key", keys->folder + "/allow/worker.secret", "--broker-key",
                                     keys->broker_public});
        config.key_file = keys->folder + "/allow/client.secret";
        config.server_key = keys->broker_public;
    }
    const std::string log = (scratch / "log").string();
    auto broker_child = ChildProcess::spawn({broker, {}, log, log, false});
    if (!broker_child) return tl::unexpected(broker_child.error());
    auto worker_child = ChildProcess::spawn({worker, {}, log, log, false});
    if (!worker_child) return tl::unexpected(worker_child.error());
    auto client = Client::connect(url, config);
    if (!client) return tl::unexpected(client.error());
    auto path = std::make_unique<RoutedPath>(name, std::move(*broker_child),
                                             std::move(*worker_child), std::move(*client));
    // The first call waits for broker and worker to come up.
    if (auto first = path->run({1024, 1, 0}); !first) {
        return fail(first.error().code, first.error().message + " (log: " + log + ")");
    }
    return path;
}

}  // namespace farm::bench
