#include "cpu_client/lib/client.h"

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <utility>
#include <variant>

#include "common/net/same_host/shared_arena.h"
#include "common/net/url.h"
#include "common/ops/host.h"
#include "common/ops/random.h"
#include "common/wire/body.h"
#include "cpu_client/lib/client_engine.h"
#include "cpu_client/lib/local_farm.h"
#include "cpu_client/lib/shared_context.h"

namespace farm {
namespace {

constexpr auto look_again_after = std::chrono::milliseconds(50);
constexpr std::size_t longest_page_count = 10'000;

Result<std::optional<CurveClient>> curve_of(const ClientConfig& config) {
    if (config.server_key.empty() && config.key_file.empty()) return std::nullopt;
    if (config.server_key.empty() || config.key_file.empty()) {
        return fail(ErrorCode::invalid,
                    std::string(config.server_key.empty() ? "key_file" : "server_key") +
                        " is given without " +
                        (config.server_key.empty() ? "server_key" : "key_file") +
                        " (CURVE needs the brokers' public key and a key pair of our own): give "
                        "both, or none");
    }
    auto own = read_key_pair(config.key_file);
    if (!own) return tl::unexpected<Error>(own.error());
    auto server = read_public_key(config.server_key);
    if (!server) return tl::unexpected<Error>(server.error());
    return CurveClient{std::move(*own), std::move(*server)};
}

bool uses_same_host(const ClientConfig& config) {
    return config.same_host && config.direct != DirectUse::never;
}

Result<std::shared_ptr<ClientEngine>> make_engine(std::vector<std::string> addresses,
                                                  const ClientConfig& config,
                                                  std::optional<CurveClient> curve) {
    ClientEngine::Options options;
    options.parts.curve = std::move(curve);
    options.parts.quarantine_folder = config.quarantine_folder;
    ClientOptions& machine = options.parts.options;
    machine.peer = random_id<PeerId>();
    machine.epoch = start_epoch();
    machine.name = config.name.empty() ? peer_name() : config.name;
    machine.token = config.token;
    machine.role = config.role;
    machine.addresses = std::move(addresses);
    machine.back_off = config.back_off;
    machine.give_up_after = config.give_up_after;
    machine.direct = config.direct;
    if (uses_same_host(config)) machine.host = this_host();
    machine.seed = random_u64();
    options.background_thread = config.background_thread;
    options.log = config.log;
    try {
        options.parts.context = shared_context();
        return std::make_shared<ClientEngine>(std::move(options));
    } catch (const std::runtime_error& error) {
        return fail(ErrorCode::io, std::string("cannot start a client: ") + error.what());
    }
}

std::shared_ptr<SharedArena> arena_of(const ClientConfig& config) {
    return uses_same_host(config) ? SharedArena::of_process() : nullptr;
}

/// A call as the machine wants it, or why there is none.
struct PackedCall {
    Submit submit;
    Payload payload;
    std::optional<Inference> refusal;
};

std::vector<Tensor> tensors_of(const Inputs& inputs) {
    std::vector<Tensor> tensors;
    tensors.reserve(inputs.size());
    for (const Input& input : inputs) {
        tensors.push_back({{input.name, input.value.type, input.value.shape}, input.value.data});
    }
    return tensors;
}

Result<void> check_names(const Inputs& inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (inputs[i].name != inputs[j].name) continue;
            return fail(ErrorCode::invalid, "input '" +
                                                inputs[i].name.substr(0, limits::name_bytes) +
                                                "' is given twice: give each input once");
        }
    }
    return {};
}

PackedCall pack(std::string model, const Inputs& inputs, const CallOptions& options) {
    PackedCall packed;
    Submit& submit = packed.submit;
    submit.id = random_id<CallId>();
    submit.service = std::move(model);
    submit.deadline = steady_now() + std::min<Duration>(options.deadline, limits::longest_deadline);
    submit.priority = options.priority;
    submit.max_result_bytes = options.max_result_bytes;
    submit.idempotent = options.idempotent;

    const std::vector<Tensor> tensors = tensors_of(inputs);
    auto payload = pack_call(tensors);
    if (payload && inputs.size() > 1) {
        if (const auto names = check_names(inputs); !names) {
            payload = tl::unexpected<Error>(names.error());
        }
    }
    if (!payload) {
        Inference refusal;
        refusal.id = submit.id;
        refusal.status = CallStatus::invalid;
        refusal.detail = payload.error().message;
        packed.refusal = std::move(refusal);
        return packed;
    }
    packed.payload = std::move(*payload);
    submit.input_bytes = tensor_bytes(std::span<const Tensor>(tensors));
    submit.rows = row_count(tensors);
    if (submit.input_bytes <= limits::small_call_bytes) return packed;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (tensors[i].data.size() <= limits::inline_tensor_bytes) continue;
        submit.large.push_back({static_cast<std::uint16_t>(i), tensors[i].data.size()});
    }
    return packed;
}

template <class T>
Result<T> answer_as(Result<Message> answer) {
    if (!answer) return tl::unexpected<Error>(answer.error());
    if (T* wanted = std::get_if<T>(&*answer)) return std::move(*wanted);
    return fail(ErrorCode::protocol, "the broker answered with " + std::string(verb_name(*answer)));
}

template <class List>
void append(List& to, List& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

// ---- connecting -------------------------------------------------------------------------------

Client::Client(std::unique_ptr<LocalFarm> local, std::shared_ptr<SharedArena> arena,
               std::shared_ptr<ClientEngine> engine)
    : local_(std::move(local)), arena_(std::move(arena)), engine_(std::move(engine)) {}
Client::Client(Client&&) noexcept = default;

Client& Client::operator=(Client&& other) noexcept {
    if (this == &other) return *this;
    close();
    local_ = std::move(other.local_);
    arena_ = std::move(other.arena_);
    engine_ = std::move(other.engine_);
    return *this;
}

Client::~Client() { close(); }

void Client::close() {
    if (engine_) engine_->shut_down();
    engine_.reset();
    local_.reset();
}

Result<Client> Client::connect(std::string_view brokers, ClientConfig config) {
    const bool may_be_local = !config.local_models.empty();
    if (brokers.empty() && may_be_local) return connect_local(config);
    auto addresses = resolve_brokers(brokers);
    if (!addresses) return tl::unexpected<Error>(addresses.error());
    auto curve = curve_of(config);
    if (!curve) return tl::unexpected<Error>(curve.error());
    auto engine = make_engine(std::move(*addresses), config, std::move(*curve));
    if (!engine) return tl::unexpected<Error>(engine.error());
    Client client(nullptr, arena_of(config), std::move(*engine));
    if (!may_be_local || client.wait_connected(config.local_after)) return client;
    if (config.log) {
        config.log(NoteLevel::warning, "no broker of " + std::string(brokers) +
                                           " answers: a private farm on this machine takes over");
    }
    return connect_local(config);
}

Result<Client> Client::connect_local(const ClientConfig& config) {
    auto farm = LocalFarm::start({config.local_models, config.local_worker_arguments});
    if (!farm) return tl::unexpected<Error>(farm.error());
    auto engine = make_engine({(*farm)->url()}, config, std::nullopt);
    if (!engine) return tl::unexpected<Error>(engine.error());
    Client client(std::move(*farm), arena_of(config), std::move(*engine));
    if (const auto ready = client.wait_for_models(config.local_ready_within); !ready) {
        return tl::unexpected<Error>(ready.error());
    }
    return client;
}

/// Until each model of the repository is served, or has failed to load.
Result<void> Client::wait_for_models(std::chrono::nanoseconds timeout) {
    const TimePoint end = steady_now() + timeout;
    std::string missing;
    while (steady_now() < end) {
        if (const auto failure = local_->failure()) return tl::unexpected<Error>(*failure);
        missing.clear();
        if (const auto report = status(std::chrono::seconds(1))) {
            for (const std::string& model : local_->model_names()) {
                const bool told = std::any_of(
                    report->services.begin(), report->services.end(),
                    [&](const ServiceStatus& s) { return s.name.starts_with(model + "/"); });
                if (!told) missing = model;
            }
            if (missing.empty()) return {};
        }
        std::this_thread::sleep_for(look_again_after);
    }
    return fail(
        ErrorCode::unavailable,
        "the private farm is not ready within " +
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(timeout).count()) +
            " s" + (missing.empty() ? "" : " (model '" + missing + "' is not loaded)"));
}

bool Client::wait_connected(std::chrono::nanoseconds timeout) {
    return engine_->wait_for_session(timeout);
}

// ---- calls ------------------------------------------------------------------------------------

Future<Inference> Client::infer(std::string model, const Inputs& inputs, CallOptions options) {
    PackedCall packed = pack(std::move(model), inputs, options);
    if (packed.refusal) return engine_->refuse(*std::move(packed.refusal));
    return engine_->infer(std::move(packed.submit), std::move(packed.payload));
}

CallId Client::infer(std::string model, const Inputs& inputs, CallOptions options,
                     Callback callback) {
    PackedCall packed = pack(std::move(model), inputs, options);
    const CallId id = packed.submit.id;
    if (packed.refusal) {
        engine_->refuse(*std::move(packed.refusal), std::move(callback));
    } else {
        engine_->infer(std::move(packed.submit), std::move(packed.payload), std::move(callback));
    }
    return id;
}

MutableBuffer Client::allocate(std::size_t size_bytes) {
    if (arena_) {
        if (auto block = arena_->allocate(size_bytes)) return *std::move(block);
    }
    return MutableBuffer(size_bytes);
}

void Client::cancel(CallId id) { engine_->cancel(id); }

// ---- questions --------------------------------------------------------------------------------

Result<std::vector<CatalogEntry>> Client::models(std::chrono::nanoseconds timeout) {
    const TimePoint end = steady_now() + timeout;
    std::vector<CatalogEntry> entries;
    std::uint64_t cursor = 0;
    for (std::size_t page = 0; page < longest_page_count; ++page) {
        auto catalog = answer_as<Catalog>(engine_->ask(List{cursor, ""}, end - steady_now()));
        if (!catalog) return tl::unexpected<Error>(catalog.error());
        append(entries, catalog->entries);
        cursor = catalog->next;
        if (cursor == 0) break;
    }
    return entries;
}

Result<StatusReport> Client::status(std::chrono::nanoseconds timeout) {
    const TimePoint end = steady_now() + timeout;
    StatusReport all;
    std::uint64_t cursor = 0;
    for (std::size_t page = 0; page < longest_page_count; ++page) {
        auto report = answer_as<StatusReport>(engine_->ask(Status{cursor}, end - steady_now()));
        if (!report) return report;
        all.broker = std::move(report->broker);
        append(all.workers, report->workers);
        append(all.services, report->services);
        append(all.queues, report->queues);
        cursor = report->next;
        if (cursor == 0) break;
    }
    return all;
}

Result<StatusReport> Client::drain(std::string worker, std::chrono::nanoseconds timeout) {
    return answer_as<StatusReport>(engine_->ask(Drain{std::move(worker)}, timeout));
}

}  // namespace farm
