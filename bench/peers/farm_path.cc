#include <filesystem>

#include "bench/farm/bench_farm.h"
#include "bench/farm/farm_caller.h"
#include "bench/farm/reference_model.h"
#include "bench/peers/path_list.h"
#include "common/net/curve.h"

namespace farm::bench {
namespace {

namespace fs = std::filesystem;

/// eventfarm: client library, broker, worker with the reference backend.
class FarmPath final : public EchoPath {
  public:
    FarmPath(BenchFarm farm, Client client, FarmCaller::Options options)
        : farm_(std::move(farm)),
          client_(std::move(client)),
          caller_(client_, std::move(options)) {}

    Result<Sample> run(const Load& load) override { return caller_.run(load); }

  private:
    BenchFarm farm_;
    Client client_;
    FarmCaller caller_;
};

/// What broker, worker and client are told so that the calls go one way and no other.
struct Flags {
    std::vector<std::string> broker;
    std::vector<std::string> worker;
    ClientConfig client;
};

Result<Flags> curve_flags(const fs::path& scratch) {
    const std::string keys = (scratch / "keys").string();
    fs::create_directories(fs::path(keys) / "allow");
    for (const auto& [path, role] :
         {std::pair{"/broker", Role::broker}, std::pair{"/allow/worker", Role::worker},
          std::pair{"/allow/client", Role::client}}) {
        const auto pair = generate_key_pair();
        if (!pair) return tl::unexpected(pair.error());
        const auto done = write_key_pair(*pair, keys + path, "bench", {role});
        if (!done) return tl::unexpected(done.error());
    }
    Flags flags{{"--key", keys + "/broker.secret", "--allow", keys + "/allow"},
                {"--key", keys + "/allow/worker.secret", "--broker-key", keys + "/broker.pub"},
                {}};
    flags.client.key_file = keys + "/allow/client.secret";
    flags.client.server_key = keys + "/broker.pub";
    return flags;
}

bool reads_only(FarmKind kind) {
    return kind == FarmKind::routed_read || kind == FarmKind::same_host_read ||
           kind == FarmKind::same_host_placed_read;
}

bool is_placed(FarmKind kind) {
    return kind == FarmKind::same_host_placed || kind == FarmKind::same_host_placed_read;
}

bool is_same_host(FarmKind kind) {
    return is_placed(kind) || kind == FarmKind::same_host || kind == FarmKind::same_host_read;
}

Result<Flags> flags_of(FarmKind kind, const fs::path& scratch) {
    Flags flags;
    if (kind == FarmKind::direct) {
        flags.worker = {"--direct", "tcp://127.0.0.1:*", "--same-host", "off"};
        flags.client.direct = DirectUse::always;
        return flags;
    }
    if (is_same_host(kind)) {
        flags.worker = {"--direct", "off"};
        flags.client.direct = DirectUse::always;
        return flags;
    }
    if (kind == FarmKind::routed_curve) {
        auto curve = curve_flags(scratch);
        if (!curve) return curve;
        flags = *std::move(curve);
    }
    flags.client.direct = DirectUse::never;
    return flags;
}

}  // namespace

Result<std::unique_ptr<EchoPath>> make_farm_path(const PathOptions& options, FarmKind kind) {
    const auto programs = find_programs(options.farm_bin);
    if (!programs) return tl::unexpected(programs.error());
    const fs::path scratch = options.scratch;
    const std::string model = reads_only(kind) ? "sum" : "identity";
    if (const auto done = write_reference_model(scratch / "models", model, {{"kind", model}});
        !done) {
        return tl::unexpected(done.error());
    }
    const auto flags = flags_of(kind, scratch);
    if (!flags) return tl::unexpected(flags.error());
    auto farm = BenchFarm::start({*programs, scratch, {}, flags->broker});
    if (!farm) return tl::unexpected(farm.error());
    if (const auto done = farm->start_worker({"worker", scratch / "models", {}, flags->worker});
        !done) {
        return tl::unexpected(done.error());
    }
    auto client = Client::connect(farm->url(), flags->client);
    if (!client) return tl::unexpected(client.error());
    if (const auto done = farm->wait_for(*client, {model}, std::chrono::seconds(60)); !done) {
        return tl::unexpected(done.error());
    }
    return std::make_unique<FarmPath>(
        std::move(*farm), std::move(*client),
        FarmCaller::Options{model, reads_only(kind), is_placed(kind)});
}

}  // namespace farm::bench
