#include "gpu_worker/app/worker_loop.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "common/core/expect.h"
#include "common/ops/log.h"
#include "common/wire/body.h"
#include "common/wire/envelope.h"
#include "gpu_worker/backends/run_failure.h"
#include "gpu_worker/core/input_check.h"

namespace farm {
namespace {

/// Runs under way never pass the number of instances; both queues are far above that.
constexpr std::size_t queue_limit_count = 65'536;
/// Descriptors stand in for tensors whose bytes have not come yet: checks never look at values.
Result<TensorList> announced_tensors(const CallBody& body) {
    TensorList tensors;
    for (const BodyTensor& tensor : body.tensors) {
        if (tensor.inlined) {
            tensors.push_back({tensor.desc, tensor.inline_data});
            continue;
        }
        const auto size = checked_size_bytes(tensor.desc);
        if (!size) return tl::unexpected(size.error());
        tensors.push_back({tensor.desc, Buffer(nullptr, *size)});
    }
    return tensors;
}

}  // namespace

WorkerLoop::WorkerLoop(Parts parts, Signals& signals)
    : signals_(signals),
      loaded_(queue_limit_count, waker_),
      done_(queue_limit_count, waker_),
      links_(parts.context, poller_, parts.brokers, parts.curve),
      same_host_links_(std::move(parts.same_host)),
      outbox_([this](LinkId link, Lane lane, std::span<const Buffer> frames) {
          return send(link, lane, frames);
      }),
      machine_(parts.machine),
      expected_models_(parts.entries.size()),
      pinned_(parts.load.pinned),
      nvml_(std::move(parts.nvml)) {
    poller_.watch(waker_);
    poller_.watch_fd(signals_.fd());
    if (parts.direct) {
        listener_.emplace(std::move(parts.direct), std::move(parts.direct_bulk), poller_);
    }
    if (same_host_links_) poller_.watch(*same_host_links_);
    loader_ =
        std::make_unique<ModelLoader>(std::move(parts.entries), std::move(parts.load), loaded_);
}

WorkerLoop::~WorkerLoop() {
    loader_.reset();
    services_.clear();
    if (same_host_links_) poller_.forget(*same_host_links_);
    poller_.forget(waker_);
}

int WorkerLoop::run() {
    now_ = steady_now();
    step(Tick{});
    const BrokerLinks::Handlers handlers{
        [this](LinkOpened input) { step(input); },
        [this](LinkLost input) { step(input); },
        [this](LinkId link, std::vector<Buffer> frames) { take_message(link, std::move(frames)); },
    };
    while (!finished_) {
        poller_.wait(earliest(machine_.next_deadline(), notifier_.next_deadline()));
        now_ = steady_now();
        if (const auto stop = signals_.take()) {
            if (*stop == Signals::Stop::now) return 1;
            log_info("asked to stop: draining");
            notifier_.stopping("draining");
            step(DrainRequested{});
        }
        take_models();
        take_runs();
        links_.tell(handlers);
        if (listener_) {
            take_direct(Lane::control);
            take_direct(Lane::bulk);
        }
        if (same_host_links_) take_same_host();
        look_at_device();
        step(Tick{});
        take_runs();  // inline runs are done already
        flush();
        notifier_.feed(now_);
    }
    return exit_code_;
}

// ---- inputs -----------------------------------------------------------------------------------

void WorkerLoop::take_models() {
    loaded_.drain(newly_loaded_);
    for (LoadedEntry& entry : newly_loaded_) {
        ServiceAd ad = std::move(entry.ad);
        ad.index = ServiceIndex{next_service_++};
        ModelReady input;
        input.ad = ad;
        if (entry.ready) {
            ReadyModel& ready = *entry.ready;
            input.preferred_rows = ready.hints.preferred_rows;
            input.max_queue_delay = ready.hints.max_queue_delay;
            ready.served->ad.index = ad.index;
            Service& service = services_[ad.index];
            service.served = ready.served;
            service.self_test = std::move(ready.self_test);
            for (auto& instance : ready.instances) {
                service.instances.push_back(
                    std::make_unique<InstanceRunner>(service.served, std::move(instance), done_));
            }
            input.runs_inline =
                std::ranges::all_of(service.instances, &InstanceRunner::runs_inline);
            by_name_[service_name(ad.model, ad.version)] = ad.index;
            if (ad.latest) by_name_[ad.model] = ad.index;
            log_info("model is ready", {{"model", service_name(ad.model, ad.version)},
                                        {"device", ad.device_name},
                                        {"instances", ad.instance_count}});
        } else {
            log_error("model does not load",
                      {{"model", service_name(ad.model, ad.version)}, {"reason", ad.failure}});
        }
        step(input);
        if (!entry.ready && loses_device(input.ad.failure)) lose_device(input.ad.failure);
        if (++ready_models_ == expected_models_) notifier_.ready("serving");
    }
}

void WorkerLoop::take_runs() {
    for (;;) {
        done_.drain(newly_done_);
        std::ranges::move(done_here_, std::back_inserter(newly_done_));
        done_here_.clear();
        if (newly_done_.empty()) return;
        now_ = steady_now();
        for (RunDone& done : newly_done_) {
            if (!done.lost_device.empty()) lose_device(done.lost_device);
            if (const auto test = self_tests_.extract(done.run)) {
                step(SelfTestFinished{test.mapped(), done.calls.front().outcome == Outcome::ok});
            } else {
                step(finished(std::move(done)));
            }
        }
    }
}

RunFinished WorkerLoop::finished(RunDone&& done) {
    RunFinished input{done.run, done.timings, {}, std::move(done.slices)};
    input.calls.reserve(done.calls.size());
    for (CallOutcome& call : done.calls) {
        RunCallResult& result = input.calls.emplace_back();
        result.outcome = call.outcome;
        result.reason = call.reason;
        result.detail = std::move(call.detail);
        if (call.outcome != Outcome::ok) continue;
        result.output_bytes = call.output_bytes;
        result.small_bytes = call.payload.size_bytes();
        result.large = std::move(call.large);
        result.payload = payloads_.add(std::move(call.payload));
    }
    return input;
}

void WorkerLoop::take_message(LinkId link, std::vector<Buffer> frames) {
    const auto opened = open_envelope(std::move(frames), payloads_, messages_, framing_of(link));
    if (!opened) {
        log_error("a broker sent bytes that are no message", {{"error", opened.error().message}});
        links_.close(link);
        return step(LinkLost{link});
    }
    take_items(link);
}

void WorkerLoop::take_direct(Lane lane) {
    for (int i = 0; i < Outbox::messages_per_turn; ++i) {
        auto arrival = listener_->receive(lane);
        if (!arrival) return;
        const Buffer header = arrival->frames.empty() ? Buffer{} : arrival->frames.front();
        const auto opened = open_envelope(std::move(arrival->frames), payloads_, messages_,
                                          framing_of(arrival->link));
        if (opened) {
            take_items(arrival->link);
        } else {
            step(listener_->malformed(arrival->link, header, opened.error()));
        }
    }
}

void WorkerLoop::take_same_host() {
    same_host_links_->tell(
        {nullptr, [this](LinkLost input) { step(input); },
         [this](LinkId link, std::vector<Buffer> frames) {
             const auto opened =
                 open_envelope(std::move(frames), payloads_, messages_, framing_of(link));
             if (opened) return take_items(link);
             step(Malformed{link, RefusedReason::malformed, opened.error().message});
         },
         [this](const Malformed& input) { step(input); }},
        Outbox::messages_per_turn);
}

void WorkerLoop::take_items(LinkId link) {
    for (Message& message : messages_) {
        if (auto* call = std::get_if<Call>(&message)) {
            step(inspect(link, std::move(*call)));
        } else {
            step(Received{link, std::move(message)});
        }
    }
    if (++taken_count_ % Outbox::messages_per_flush != 0) return;
    take_runs();
    flush();
}

SendResult WorkerLoop::send(LinkId link, Lane lane, std::span<const Buffer> frames) {
    if (is_same_host(link)) return same_host_links_->send(link, frames);
    return is_direct(link) ? listener_->send(link, lane, frames) : links_.send(link, lane, frames);
}

void WorkerLoop::close(LinkId link) {
    if (is_same_host(link)) return same_host_links_->close(link);
    is_direct(link) ? listener_->close(link) : links_.close(link);
}

Lane WorkerLoop::lane_of(LinkId link, const Message& message) {
    const bool has_lanes = is_direct(link) && !is_same_host(link);
    return has_lanes ? listener_->lane_of(link, message) : Lane::control;
}

CallArrived WorkerLoop::inspect(LinkId link, Call&& received) {
    CallArrived arrived;
    arrived.link = link;
    arrived.call = std::move(received);
    const Call& call = arrived.call;
    arrived.rows = call.rows;
    Service* service = find(call.service, arrived.service);
    if (service == nullptr) return arrived;
    auto tensors = tensors_of(call, arrived);
    if (!tensors) {
        arrived.problem = std::move(tensors.error());
        return arrived;
    }
    const auto rows = check_inputs(service->served->ad, *tensors);
    if (!rows) {
        arrived.problem = rows.error();
        return arrived;
    }
    auto measured = service->served->batching->measure(*tensors);
    if (!measured) {
        arrived.problem = measured.error();
        return arrived;
    }
    arrived.rows = measured->rows;
    arrived.shape_class = service->shapes.class_of(std::move(measured->shape_key));
    if (!call.chunked) inputs_[call.payload] = std::move(*tensors);
    return arrived;
}

Result<TensorList> WorkerLoop::tensors_of(const Call& call, CallArrived& arrived) {
    const Payload* payload = payloads_.find(call.payload);
    if (payload == nullptr)
        return fail(ErrorCode::invalid, "the call has no body: send its tensors");
    if (!call.chunked) return unpack_call(*payload);
    auto body = decode_call_body(payload->body);
    if (!body) return tl::unexpected(body.error());
    arrived.large = large_tensors(body->tensors);
    return announced_tensors(*body);
}

WorkerLoop::Service* WorkerLoop::find(const std::string& name, ServiceIndex& index) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return nullptr;
    index = found->second;
    return &services_.at(index);
}

// ---- effects ----------------------------------------------------------------------------------

void WorkerLoop::step(const WorkerInput& input) {
    WorkerEffects effects = std::exchange(effects_, {});
    effects.clear();
    machine_.step(input, now_, effects);
    for (const WorkerEffect& effect : effects) {
        std::visit([this](const auto& what) { carry_out(what); }, effect);
    }
    effects_ = std::move(effects);
}

void WorkerLoop::carry_out(const Transmit& effect) {
    const PayloadId id = payload_of(effect.message);
    const Payload* payload = id ? payloads_.find(id) : nullptr;
    if (!outbox_.add(effect.link, lane_of(effect.link, effect.message), effect.message, payload)) {
        log_error("a message is too long to be sent", {{"verb", verb_name(effect.message)}});
    }
    if (effect.release_payload && id) payloads_.drop(id);
}

void WorkerLoop::carry_out(const TransmitChunk& effect) {
    const Payload* source = payloads_.find(effect.payload);
    FARM_ENSURE(source != nullptr && effect.frame < source->frames.size());
    const Payload piece{{}, {source->frames[effect.frame].slice(effect.offset, effect.length)}};
    const Chunk chunk{effect.key, effect.tensor, effect.offset, effect.length, {}};
    outbox_.add(effect.link, Lane::bulk, chunk, &piece);
}

void WorkerLoop::carry_out(const ExpectFrames& effect) {
    const Payload* payload = payloads_.find(effect.payload);
    FARM_ENSURE(payload != nullptr);
    const auto body = decode_call_body(payload->body);
    FARM_ENSURE(body.has_value());  // it was decoded when the call arrived
    incoming_.emplace(effect.payload,
                      IncomingFrames(large_tensors(body->tensors), allocate_in(pinned_)));
}

/// Often enough for people who watch; the loop wakes for each beat anyway.
void WorkerLoop::look_at_device() {
    if (now_ < next_look_) return;
    next_look_ = now_ + std::chrono::seconds(1);
    if (pinned_) tell_of_refusals(pinned_->counts());
    if (!nvml_) return;
    if (const auto use = nvml_->use()) step(DeviceSeen{*use});
}

void WorkerLoop::tell_of_refusals(const PinnedMemory::Counts& counts) {
    if (counts.refused_count == 0 || std::exchange(told_of_refusals_, true)) return;
    log_warning(
        "no more memory can be pinned: large inputs are copied to the device by way of ordinary "
        "memory (ulimit -l, --device-bytes)",
        {{"pinned_bytes", counts.held_bytes}});
}

void WorkerLoop::lose_device(const std::string& why) {
    exit_code_ = device_lost_exit_code;
    step(DeviceLost{why});
}

void WorkerLoop::carry_out(const StoreChunk& effect) {
    Payload chunk = payloads_.take(effect.chunk);
    const auto incoming = incoming_.find(effect.into);
    FARM_ENSURE(incoming != incoming_.end() && chunk.frames.size() == 1);
    incoming->second.store(effect.frame, effect.offset, std::move(chunk.frames.front()));
}

void WorkerLoop::carry_out(const DropPayload& effect) {
    payloads_.drop(effect.payload);
    inputs_.erase(effect.payload);
    incoming_.erase(effect.payload);
}

/// Errors (unavailable): there was no memory for what came in chunks.
Result<TensorList> WorkerLoop::take_inputs(PayloadId id, const ServiceAd& ad) {
    Payload payload = payloads_.take(id);
    if (TensorList* const found = inputs_.find(id)) {
        TensorList tensors = std::move(*found);
        inputs_.erase(id);
        return tensors;
    }
    const auto incoming = incoming_.find(id);
    FARM_ENSURE(incoming != incoming_.end());
    auto frames = std::move(incoming->second).take();
    incoming_.erase(incoming);
    if (!frames) return tl::unexpected(std::move(frames).error());
    payload.frames = std::move(*frames);
    auto tensors = unpack_call(payload);
    FARM_ENSURE(tensors.has_value());
    const auto ordered = check_inputs(ad, *tensors);  // announced_tensors() passed it already
    FARM_ENSURE(ordered.has_value());
    return tensors;
}

/// A run is all of its calls: when there is no memory for the inputs of one, none has begun.
void WorkerLoop::carry_out(const StartRun& effect) {
    Service& service = services_.at(effect.service);
    RunJob job{effect.run, {}, effect.slices, effect.expires};
    std::optional<Error> problem;
    job.calls.reserve(effect.calls.size());
    for (const RunCall& call : effect.calls) {
        auto tensors = take_inputs(call.payload, service.served->ad);
        if (tensors) {
            job.calls.push_back({std::move(*tensors), call.rows});
        } else {
            problem = std::move(tensors).error();
        }
    }
    if (problem) {
        const CallOutcome refused{
            Outcome::not_started, Reason::overloaded, problem->message, {}, 0, {}};
        const std::vector<CallOutcome> all(effect.calls.size(), refused);
        return done_here_.push_back({effect.run, {}, all, {}});
    }
    start(*service.instances.at(effect.instance), std::move(job));
}

void WorkerLoop::carry_out(const StartSelfTest& effect) {
    Service& service = services_.at(effect.service);
    const RunId run{next_self_test_++};
    self_tests_.emplace(run, effect.service);
    if (service.self_test.empty()) {  // no inputs are known: there is nothing to try
        RunDone done;
        done.run = run;
        done.calls.emplace_back();
        return done_here_.push_back(std::move(done));
    }
    const auto measured = service.served->batching->measure(service.self_test);
    FARM_ENSURE(measured.has_value());  // it ran when the model was loaded
    start(*service.instances.front(), {run, {RunInput{service.self_test, measured->rows}}});
}

void WorkerLoop::start(InstanceRunner& instance, RunJob job) {
    if (auto done = instance.start(std::move(job))) done_here_.push_back(*std::move(done));
}

void WorkerLoop::carry_out(const CloseLink& effect) {
    outbox_.flush_link(effect.link);
    close(effect.link);
}

void WorkerLoop::carry_out(const Note& effect) { log(effect); }

void WorkerLoop::flush() {
    outbox_.flush([this](const LinkLost& lost) {
        close(lost.link);
        step(lost);
    });
}

}  // namespace farm
