#include <algorithm>
#include <cstdio>
#include <map>

#include <CLI/CLI.hpp>

#include "common/net/curve.h"
#include "common/net/url.h"
#include "common/ops/config.h"
#include "common/ops/host.h"
#include "common/ops/log.h"
#include "common/ops/random.h"
#include "gpu_worker/app/direct_address.h"
#include "gpu_worker/app/direct_bench.h"
#include "gpu_worker/app/worker_loop.h"
#include "gpu_worker/backends/process_settings.h"
#include "gpu_worker/device/nvml.h"
#include "gpu_worker/device/pinned_memory.h"
#include "schemas/limits.h"

namespace {

using namespace farm;

struct Flags {
    std::string broker{"tcp://127.0.0.1:5600"};
    std::string models;
    std::vector<std::string> only;
    std::string device{"auto"};
    std::string device_memory_limit;
    std::string name;
    std::uint32_t instances{0};
    std::uint64_t device_bytes{WorkerOptions{}.device_bytes};
    std::vector<std::string> labels;
    std::string key;
    std::string broker_key;
    std::string token;
    std::string direct{"auto"};
    std::string announce_direct;
    bool same_host{true};
    bool insecure{false};
    DirectBenchOptions bench;
    bool bench_system_malloc{false};
};

void declare(CLI::App& app, Flags& flags) {
    app.add_option("--broker", flags.broker, "Brokers: tcp://HOST:PORT,... or @FILE or srv://NAME")
        ->capture_default_str();
    app.add_option("--models", flags.models,
                   "Model repository: MODEL/config.pbtxt, MODEL/1/model.pt")
        ->required();
    app.add_option("--only", flags.only, "Serve these models of the repository (default: all)")
        ->delimiter(',');
    app.add_option("--device", flags.device, "auto, cpu or cuda:N")->capture_default_str();
    app.add_option(
        "--device-memory-limit", flags.device_memory_limit,
        "Memory of the CUDA device for models and runs: 50%, 8GiB, 512MiB (default: all)");
    app.add_option("--name", flags.name, "Name in logs and status (default: host/pid)");
    app.add_option("--instances", flags.instances,
                   "Instances of each model (default: as its config.pbtxt says)");
    app.add_option("--device-bytes", flags.device_bytes,
                   "Inputs and results that may be on this worker at once, in bytes")
        ->capture_default_str();
    app.add_option("--label", flags.labels, "KEY=VALUE told to brokers; may be repeated");
    app.add_option("--key", flags.key, "CURVE key pair: file made by `farm keygen`");
    app.add_option("--broker-key", flags.broker_key, "Public key of the brokers, or its .pub file");
    app.add_option("--direct", flags.direct,
                   "Where clients may call this worker without a broker between: an address, auto "
                   "(a local socket if all brokers are on this machine, else any port if that is "
                   "safe) or off")
        ->capture_default_str();
    app.add_option("--announce-direct", flags.announce_direct,
                   "That address as clients see it (default: with this host's name)");
    app.add_option("--same-host", flags.same_host,
                   "Let clients of this user on this host call through shared memory, whatever "
                   "--direct says: on or off")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, bool>{{"on", true}, {"off", false}}, CLI::ignore_case))
        ->default_str("on");
    app.add_flag("--insecure", flags.insecure, "Listen on the network without CURVE");
    app.add_option("--bench", flags.bench.model, "Run this model here, without a farm, and leave");
    app.add_option("--bench-inputs", flags.bench.inputs,
                   "Folders with <input>.npy (default: warm-up)");
    app.add_option("--bench-seconds", flags.bench.seconds, "How long, for each size")
        ->capture_default_str();
    app.add_option("--bench-rows", flags.bench.rows,
                   "Rows per run: 1,2,4,... shows the rate by size (default: as the inputs have)")
        ->delimiter(',');
    app.add_flag("--bench-system-malloc", flags.bench_system_malloc,
                 "With --bench: leave malloc as the C library comes, as a program that just calls "
                 "the model does");
    app.add_flag("--json", flags.bench.json, "Print the result of --bench as JSON");
}

Result<std::vector<Label>> parse_labels(const std::vector<std::string>& texts) {
    std::vector<Label> labels;
    for (const std::string& text : texts) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            return fail(ErrorCode::invalid, "--label '" + text + "' is not KEY=VALUE");
        }
        labels.push_back({text.substr(0, equals), text.substr(equals + 1)});
    }
    if (labels.size() > limits::label_count) {
        return fail(ErrorCode::too_large, std::to_string(labels.size()) + " labels (limit " +
                                              std::to_string(limits::label_count) + ")");
    }
    return labels;
}

Result<std::optional<CurveClient>> read_curve(const Flags& flags) {
    if (flags.key.empty() && flags.broker_key.empty()) return std::nullopt;
    if (flags.key.empty() || flags.broker_key.empty()) {
        return fail(ErrorCode::invalid, "--key and --broker-key belong together: give both");
    }
    auto own = read_key_pair(flags.key);
    if (!own) return tl::unexpected(own.error());
    auto broker = read_public_key(flags.broker_key);
    if (!broker) return tl::unexpected(broker.error());
    return CurveClient{*own, *broker};
}

/// What is on this worker at once may all be pinned, once as calls and once as the runs that they
/// are put together in, as long as the machine keeps most of its memory for everybody else. Null:
/// the device is no CUDA device.
std::shared_ptr<PinnedMemory> pinned_memory(const Device& device, std::uint64_t device_bytes) {
    if (device.kind != DeviceKind::cuda) return nullptr;
    const std::uint64_t once = std::min(device_bytes, host_memory_bytes() / 8);
    return make_cuda_pinned_memory(device.index, 2 * once);
}

/// None where the driver does not tell of the device.
std::optional<Nvml> nvml_of(const Device& device) {
    if (device.kind != DeviceKind::cuda) return std::nullopt;
    auto nvml = Nvml::open_device(device.index);
    if (nvml) return std::move(*nvml);
    log_warning("memory and utilisation of the device are not told",
                {{"reason", nvml.error().message}});
    return std::nullopt;
}

Result<int> serve(Flags& flags, Signals& signals) {
    auto device = resolve_device(flags.device);
    if (!device) return tl::unexpected(device.error());
    if (!flags.device_memory_limit.empty()) {
        const auto limited = limit_device_memory(*device, flags.device_memory_limit);
        if (!limited) return tl::unexpected(limited.error());
    }
    auto labels = parse_labels(flags.labels);
    if (!labels) return tl::unexpected(labels.error());
    LoadOptions load;
    load.repository = flags.models;
    load.only = flags.only;
    load.device = *device;
    load.worker_name = flags.name.empty() ? peer_name() : flags.name;
    load.instances_override = flags.instances;
    load.labels = *labels;
    if (!flags.bench.model.empty()) {
        const auto done = run_direct_bench(flags.bench, load);
        if (!done) return tl::unexpected(done.error());
        return 0;
    }
    auto entries = wanted_entries(load);
    if (!entries) return tl::unexpected(entries.error());
    auto brokers = resolve_brokers(flags.broker);
    if (!brokers) return tl::unexpected(brokers.error());
    auto curve = read_curve(flags);
    if (!curve) return tl::unexpected(curve.error());

    WorkerOptions options;
    options.peer = random_id<PeerId>();
    options.epoch = start_epoch();
    options.name = load.worker_name;
    options.broker_count = static_cast<std::uint16_t>(brokers->size());
    options.device_bytes = flags.device_bytes;
    options.seed = random_u64();
    log_info("starting", {{"device", device->name}, {"brokers", flags.broker}});

    Context context(limits::direct_frame_bytes);
    auto direct = listen_for_clients(context, {flags.direct, flags.announce_direct, flags.insecure},
                                     *brokers, *curve);
    if (!direct) return tl::unexpected(direct.error());
    options.direct_url = direct->url;
    options.direct_bulk_url = direct->bulk_url;
    options.direct_key = direct->key;
    auto same_host = flags.same_host ? listen_within_host() : SameHostAddress{};
    if (!same_host) return tl::unexpected(same_host.error());
    options.same_host = same_host->address;
    load.pinned = pinned_memory(*device, flags.device_bytes);
    WorkerLoop loop(
        {context, *brokers, *curve, std::move(direct->control), std::move(direct->bulk),
         std::move(same_host->links), options, std::move(*entries), load, nvml_of(*device)},
        signals);
    return loop.run();
}

}  // namespace

int main(int argc, char** argv) {
    Signals signals;
    Flags flags;
    CommandLine command_line("farm-worker", "Serves models on one device of this machine");
    declare(command_line.app(), flags);
    if (const auto code = command_line.parse(argc, argv)) return *code;
    if (flags.bench.model.empty() || !flags.bench_system_malloc) keep_memory_mapped();
    const auto code = serve(flags, signals);
    if (code) return *code;
    log_error(code.error().message);
    return 1;
}
