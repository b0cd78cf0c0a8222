#include <algorithm>
#include <numeric>
#include <utility>

#include "schemas/same_host.h"
#include "tests/sim/process.h"

namespace farm::sim {
namespace {

using namespace std::chrono_literals;

ServiceAd ad_of(const SimModel& model, ServiceIndex index, bool latest) {
    ServiceAd ad;
    ad.index = index;
    ad.model = model.name;
    ad.version = model.version;
    ad.latest = latest;
    ad.batch = model.batch;
    ad.max_batch_rows = model.max_rows;
    ad.instance_count = model.instances;
    ad.backend = "reference";
    ad.signature.outputs = {{"y", dtype::f32, {-1}, false}};  // large calls may be sliced
    ad.idempotent = model.idempotent;
    ad.max_call_bytes = 24ULL << 20;
    ad.max_result_bytes = model.max_result_bytes;
    ad.cost = {{1, static_cast<std::uint64_t>((model.run_base + model.run_row).count())}};
    return ad;
}

}  // namespace

void WorkerNode::start(std::vector<SimModel> models, std::uint64_t device_bytes, bool new_peer) {
    fresh_store();
    up = true;
    finished = false;
    models_ = std::move(models);
    loaded_.assign(models_.size(), false);
    if (new_peer || !peer) peer = PeerId::from_words(world_.random.next(), world_.random.next());
    WorkerOptions options;
    options.peer = peer;
    options.epoch = ++epoch;
    options.name = world_.name(id);
    options.broker_count = static_cast<std::uint16_t>(world_.broker_ids.size());
    options.device_bytes = device_bytes;
    options.direct_url = "node" + std::to_string(id);
    options.direct_bulk_url = options.direct_url;
    if (world_.random.chance(world_.same_host)) {
        options.same_host = same_host_address(world_.host, options.direct_url);
        if (world_.random.chance(0.2)) options.direct_url.clear();
    }
    options.direct_timing = world_.timing;
    options.back_off = world_.back_off;
    options.seed = world_.random.next();
    machine = std::make_unique<WorkerMachine>(options);
    world_.log(world_.name(id) + " starts, epoch " + std::to_string(epoch));
    step(Tick{});
    for (std::size_t i = 0; i < models_.size(); ++i) {
        world_.clock.after(world_.random.between(Duration{0}, Duration{500ms}),
                           [this, i, life = incarnation] {
                               if (life == incarnation && up) load(i);
                           });
    }
}

void WorkerNode::load(std::size_t i) {
    const SimModel& model = models_[i];
    const bool latest = std::none_of(models_.begin(), models_.end(), [&](const SimModel& other) {
        return other.name == model.name && other.version > model.version;
    });
    loaded_[i] = true;
    step(ModelReady{ad_of(model, ServiceIndex{static_cast<std::uint16_t>(i + 1)}, latest), {}, {}});
}

void WorkerNode::on_crash() {
    links_.clear();
    failed_.clear();
    listener_.clear();
    largest_capacity_.clear();
    granted_.clear();
    device_lost_ = false;
}

void WorkerNode::arrive(Wire& wire, Parcel parcel) {
    if (wire.broker == id) return arrive_directly(wire, std::move(parcel));
    if (live(wire) == nullptr) return;
    const LinkId link = wire.dialler_link;
    if (parcel.payload) *payload_member(parcel.message) = payloads->add(std::move(*parcel.payload));
    if (const auto* call = std::get_if<Call>(&parcel.message)) {
        world_.history.worker_received(id, incarnation, wire.broker, *call);
        return step(inspect(link, *call));
    }
    step(Received{link, std::move(parcel.message)});
}

/// One end of a Unix socket learns when the other is closed.
void WorkerNode::hung_up(Wire& wire) {
    if (listener_.control_wire(wire.broker_link) == nullptr) return;
    listener_.close(wire.broker_link);
    step(LinkLost{wire.broker_link});
}

void WorkerNode::arrive_directly(Wire& wire, Parcel parcel) {
    const LinkId link = listener_.link_of(wire);
    world_.check_framing(link, parcel.message);
    if (parcel.garbage) {
        return step(Malformed{link, RefusedReason::malformed, "bytes that are no message"});
    }
    if (parcel.payload) *payload_member(parcel.message) = payloads->add(std::move(*parcel.payload));
    if (const auto* call = std::get_if<Call>(&parcel.message)) {
        world_.history.worker_received(id, incarnation, wire.dialler, *call);
        return step(inspect(link, *call));
    }
    step(Received{link, std::move(parcel.message)});
}

void WorkerNode::send_directly(const Transmit& effect) {
    const Wire* wire = listener_.control_wire(effect.link);
    if (world_.verdict.listening()) {
        world_.log(world_.name(id) + " -> " +
                   (wire == nullptr ? "nobody" : world_.name(wire->dialler)) +
                   " directly: " + describe(effect.message));
    }
    const PayloadId id_of_payload = payload_of(effect.message);
    std::optional<SimPayload> payload;
    if (id_of_payload) {
        payload = payloads->get(id_of_payload, "Transmit");
        const auto* answer = std::get_if<Answer>(&effect.message);
        if (answer != nullptr && answer->chunked) payload->filled.clear();
        if (effect.release_payload) payloads->drop(id_of_payload);
    }
    world_.history.worker_sent(id, incarnation, effect.link, 0, effect.message);
    Message message = effect.message;
    if (PayloadId* member = payload_member(message)) *member = PayloadId{};
    listener_.send(effect.link, message, std::move(payload));
}

void WorkerNode::after_step() {
    report_failed();
    for (auto failed = listener_.take_failed(); up && !failed.empty();
         failed = listener_.take_failed()) {
        for (const LinkId link : failed) step(LinkLost{link});
    }
    if (up) check_held();
}

/// Rule 13: whatever windows and leases say, no more calls are here than the worker has room for:
/// its capacity, one more for each further broker, and runs that nobody waits for any more.
void WorkerNode::check_held() {
    std::uint64_t most = 0;
    for (std::size_t i = 0; i < models_.size(); ++i) {
        if (!loaded_[i]) continue;
        const ServiceIndex index{static_cast<std::uint16_t>(i + 1)};
        auto& largest = largest_capacity_[index];
        largest = std::max(largest, machine->service(index)->capacity());
        most += largest + world_.broker_ids.size() + models_[i].instances;
    }
    if (machine->held_call_count() <= most) return;
    world_.verdict.violate("rule 13: the worker is the ledger of its capacity",
                           world_.name(id) + " holds " +
                               std::to_string(machine->held_call_count()) + " calls of " +
                               std::to_string(most));
}

CallArrived WorkerNode::inspect(LinkId link, const Call& call) {
    CallArrived arrived;
    arrived.link = link;
    arrived.call = call;
    arrived.rows = call.rows;
    std::uint32_t version = 0;
    for (std::size_t i = 0; i < models_.size(); ++i) {
        const SimModel& model = models_[i];
        const bool named = call.service == service_name(model.name, model.version) ||
                           (call.service == model.name && model.version > version);
        if (!named || !loaded_[i]) continue;
        arrived.service = ServiceIndex{static_cast<std::uint16_t>(i + 1)};
        version = model.version;
    }
    if (world_.plans[call.key.id].is_bad) {
        arrived.problem = Error{ErrorCode::invalid, "input 'x' is wrong"};
    }
    if (call.chunked) arrived.large = payloads->get(call.payload, "CALL").large;
    return arrived;
}

void WorkerNode::carry_out(WorkerEffects& effects) {
    for (WorkerEffect& effect : effects) {
        if (!up) return;
        auto* transmitted = std::get_if<Transmit>(&effect);
        if (transmitted != nullptr && transmitted->link.value >= first_listener_link) {
            send_directly(*transmitted);
        } else if (transmitted != nullptr) {
            if (const auto* wire = control_wire(transmitted->link)) {
                world_.history.worker_sent(id, incarnation, transmitted->link, wire->broker,
                                           transmitted->message);
            }
            if (const auto* credit = std::get_if<Credit>(&transmitted->message)) {
                check_windows(transmitted->link, *credit);
            }
            send(*transmitted);
        } else if (auto* piece = std::get_if<TransmitChunk>(&effect)) {
            if (piece->link.value < first_listener_link) {
                send(*piece);
            } else {
                listener_.send(piece->link,
                               Chunk{piece->key, piece->tensor, piece->offset, piece->length, {}},
                               payloads->cut(*piece, direct_chunking));
            }
        } else if (auto* link = std::get_if<OpenLink>(&effect)) {
            open(link->link, world_.broker_ids.at(link->address));
        } else if (auto* bind = std::get_if<BindBulk>(&effect)) {
            listener_.bind(*bind);
        } else if (auto* bulk = std::get_if<OpenBulk>(&effect)) {
            open_bulk(*bulk);
        } else if (auto* shut = std::get_if<CloseLink>(&effect)) {
            close(shut->link);
            listener_.close(shut->link);
        } else if (auto* frames = std::get_if<ExpectFrames>(&effect)) {
            payloads->allocate(frames->payload);
        } else if (auto* chunk = std::get_if<StoreChunk>(&effect)) {
            payloads->store_chunk(chunk->chunk, chunk->into, chunk->frame, chunk->offset);
        } else if (auto* dropped = std::get_if<DropPayload>(&effect)) {
            payloads->drop(dropped->payload);
        } else if (auto* run = std::get_if<StartRun>(&effect)) {
            start_run(*run);
        } else if (auto* self_test = std::get_if<StartSelfTest>(&effect)) {
            const bool passed = world_.random.chance(0.7) || world_.device_faults == 0;
            world_.clock.after(5ms, [this, test = *self_test, passed, life = incarnation] {
                if (life == incarnation) step(SelfTestFinished{test.service, passed});
            });
        } else if (auto* note = std::get_if<Note>(&effect)) {
            if (world_.verdict.listening()) world_.log(world_.name(id) + " note: " + note->text);
        } else {
            finished = true;
        }
    }
    if (!finished) return;
    if (std::exchange(device_lost_, false)) start_again_soon(incarnation + 1);
    if (payloads->count() > 0) {
        world_.verdict.violate("payload ownership",
                               world_.name(id) + " leaves with" + payloads->describe());
    }
    crash();
}

/// Rule 14: the windows that N brokers have of a service pass its capacity by N - 1 calls at most.
void WorkerNode::check_windows(LinkId link, const Credit& credit) {
    granted_[link] = credit;
    std::erase_if(granted_, [&](const auto& entry) { return !links_.contains(entry.first); });
    std::map<ServiceIndex, std::uint64_t> sums;
    for (const auto& [id_of_link, granted] : granted_) {
        for (const ServiceWindow& window : granted.windows) {
            sums[window.service] += window.request_count;
        }
    }
    for (const auto& [index, sum] : sums) {
        auto& largest = largest_capacity_[index];
        largest = std::max(largest, machine->service(index)->capacity());
        // What every joined broker has in any case, however small the capacity.
        const std::uint64_t allowed = largest + granted_.size() - 1;
        if (sum <= std::max<std::uint64_t>(allowed, granted_.size())) continue;
        world_.verdict.violate(
            "rule 14: windows together are the capacity + N - 1 at most",
            world_.name(id) + " granted " + std::to_string(sum) + " of " + std::to_string(largest));
    }
}

void WorkerNode::start_run(const StartRun& effect) {
    std::vector<CallKey> keys;
    std::uint32_t rows = 0;
    for (const RunCall& call : effect.calls) {
        keys.push_back(call.key);
        rows += call.rows;
        const SimPayload inputs = payloads->take(call.payload, "StartRun");
        if (inputs.call != call.key.id || !inputs.complete()) {
            world_.verdict.violate("a run has whole inputs of its calls",
                                   world_.name(id) + " runs call " + short_hex(call.key.id) +
                                       " without all of its bytes");
        }
    }
    const SimModel& model = models_.at(effect.service.value - 1);
    if (world_.verdict.listening()) {
        world_.log(world_.name(id) + " runs " + describe(Started{keys}));
    }
    const bool rows_fit = model.max_rows == 0 || rows <= model.max_rows || keys.size() == 1;
    if ((model.batch == BatchRule::none && keys.size() > 1) || !rows_fit) {
        world_.verdict.violate("a run keeps to the batch rule", world_.name(id));
    }
    const std::uint32_t sliced =
        std::accumulate(effect.slices.begin(), effect.slices.end(), std::uint32_t{0});
    if (!effect.slices.empty() && (sliced != rows || keys.size() > 1)) {
        world_.verdict.violate("slices are those of one call, and all of it", world_.name(id));
    }
    world_.history.run_started(id, incarnation, effect.run, keys);
    Duration took = model.run_base + rows * model.run_row;
    took += world_.random.between(Duration{0}, took / 4);
    const bool poisoned = std::any_of(keys.begin(), keys.end(), [&](const CallKey& key) {
        return world_.plans[key.id].is_poison;
    });
    world_.clock.after(took, [this, run = effect, model, took, poisoned, life = incarnation] {
        const auto end = [=, this](const auto& self) -> void {
            if (life != incarnation) return;
            if (hung_until > world_.clock.now()) {
                world_.clock.at(hung_until, [=] { self(self); });
                return;
            }
            if (!poisoned) return finish_run(run, model, took);
            world_.history.fault_happened();
            world_.history.worker_died(id, incarnation);
            crash();
            start_again_soon(life + 1);
        };
        end(end);
    });
}

/// As a service manager does, unless the test has started it meanwhile.
void WorkerNode::start_again_soon(int life) {
    world_.clock.after(1s, [this, life] {
        if (!up && incarnation == life) start(models_, 64ULL << 20, false);
    });
}

void WorkerNode::finish_run(const StartRun& run, const SimModel& model, Duration took) {
    RunFinished input;
    input.run = run.run;
    input.timings.compute_ns = static_cast<std::uint64_t>(took.count());
    input.timings.run_calls = static_cast<std::uint32_t>(run.calls.size());
    const bool fault = world_.random.chance(world_.device_faults);
    if (fault) world_.history.fault_happened();
    const Outcome outcome =
        world_.random.chance(0.5) ? Outcome::device_fault : Outcome::retryable_fault;
    for (const RunCall& call : run.calls) {
        input.timings.run_rows += call.rows;
        RunCallResult result;
        if (fault) {
            result.outcome = outcome;
            result.reason = Reason::backend_error;
            result.detail = "the simulated device failed";
        } else {
            world_.history.run_made(call.key);
            SimPayload outputs;
            outputs.kind = SimPayload::Kind::outputs;
            outputs.call = call.key.id;
            result.output_bytes = model.result_bytes;
            result.small_bytes = model.result_bytes + 100;
            if (model.result_bytes > limits::inline_tensor_bytes) {
                outputs.large = {{0, model.result_bytes}};
                outputs.filled = {model.result_bytes};
            }
            result.large = outputs.large;
            result.payload = payloads->add(std::move(outputs));
        }
        input.calls.push_back(std::move(result));
    }
    std::vector<std::uint32_t> slices = run.slices;
    if (slices.empty()) slices = {input.timings.run_rows};
    for (const std::uint32_t rows : slices) {
        if (!fault) input.slices.push_back({rows, model.run_base + rows * model.run_row});
    }
    const bool is_lost = fault && outcome == Outcome::device_fault && world_.random.chance(0.2);
    if (is_lost && !machine->draining()) {
        device_lost_ = true;
        step(DeviceLost{"the simulated device is gone"});
    }
    step(input);
}

}  // namespace farm::sim
