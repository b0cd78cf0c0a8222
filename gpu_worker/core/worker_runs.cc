#include <algorithm>
#include <chrono>
#include <utility>

#include "common/core/expect.h"
#include "gpu_worker/core/slices.h"
#include "gpu_worker/core/worker_machine.h"

namespace farm {

/// Looked at once in this step, however often it is touched.
void WorkerMachine::touch(ServiceIndex service) {
    if (std::ranges::find(touched_, service) == touched_.end()) touched_.push_back(service);
}

/// Starts what can start, and sets the time to look again.
void WorkerMachine::serve(ServiceIndex index, HostedService& service) {
    service_timers_.cancel(index);
    if (device_lost_) return;
    if (const auto test_at = service.health.test_at()) {
        if (now_ < *test_at) return service_timers_.set(index, *test_at);
        service.health.test_started();
        out_->push_back(StartSelfTest{index});
    }
    if (!service.health.in_rotation()) return;
    while (const auto instance = service.free_instance()) {
        const auto first = service.batcher.first_company();
        if (!first) return;
        BatchSizes::Choice choice{{}, company_.count() + 1, UINT32_MAX};
        if (service.ad.batch != BatchRule::none) {
            choice = service.sizes.choose(first->shape_class, choice.company, first->waiting_rows);
        }
        std::vector<CallKey> keys = service.batcher.take(now_, choice.size.rows);
        if (keys.empty()) {
            if (const auto ready = service.batcher.ready_at()) service_timers_.set(index, *ready);
            return;
        }
        start_run(index, service, *instance, std::move(keys), choice);
    }
}

void WorkerMachine::start_run(ServiceIndex index, HostedService& service, std::uint32_t instance,
                              std::vector<CallKey> keys, const BatchSizes::Choice& choice) {
    const RunId id{next_run_++};
    Run run{index, instance, std::move(keys), 0, company_.mark(now_), choice, 0, 0};
    run.shape_class = calls_.find(run.calls.front())->shape_class;
    StartRun effect{id, index, instance, {}, {}, now_};
    effect.calls.reserve(run.calls.size());
    for (const CallKey& key : run.calls) {
        HeldCall& call = *calls_.find(key);
        FARM_ENSURE(call.state == HeldCall::State::queued && now_ < call.deadline);
        effect.calls.push_back({key, std::exchange(call.payload, {}), call.rows});
        run.rows += call.rows;
        effect.expires = std::max(effect.expires, call.deadline);
        calls_.started(call);
        if (!service.ad.idempotent) ran_.add(key.id);
    }
    run.trial_count = choice.size.is_trial ? 1 : 0;
    if (service.sliceable && run.rows > choice.size.rows) {
        FARM_ENSURE(run.calls.size() == 1);  // calls share a run up to that size only
        Slices slices = slices_of(run.rows, choice);
        run.trial_count = slices.trial_count;
        effect.slices = std::move(slices.rows);
    }
    company_.begin(now_);
    service.busy[instance] = true;
    // Said before the run begins: a run that kills this process must be known to have begun.
    if (!service.runs_inline) tell_started(run.calls);
    runs_.try_emplace(id, std::move(run));
    out_->emplace_back(std::move(effect));
}

void WorkerMachine::tell_started(const std::vector<CallKey>& keys) {
    for (BrokerNumber broker = 0; broker < contacts_.size(); ++broker) {
        if (!contacts_[broker].serving()) continue;
        Started started;
        for (const CallKey& key : keys) {
            if (calls_.find(key)->asked_by(broker)) started.calls.push_back(key);
        }
        if (!started.calls.empty()) transmit(broker, std::move(started));
    }
    std::map<LinkId, Started> told;
    for (const CallKey& key : keys) {
        if (const LinkId client = calls_.find(key)->client) told[client].calls.push_back(key);
    }
    for (auto& [client, started] : told) transmit(client, std::move(started));
}

void WorkerMachine::on(const RunFinished& finished) {
    Run* const found = runs_.find(finished.run);
    FARM_EXPECT(found != nullptr && found->calls.size() == finished.calls.size());
    const Run run = std::move(*found);
    runs_.erase(finished.run);
    HostedService& service = services_.at(run.service);
    service.busy[run.instance] = false;
    company_.end(now_);

    const RunCallResult* faulted = nullptr;
    bool ended_well = false;
    for (std::size_t i = 0; i < run.calls.size(); ++i) {
        HeldCall& call = *calls_.find(run.calls[i]);
        Timings timings = finished.timings;
        timings.queue_ns = static_cast<std::uint64_t>((run.started.at - call.arrived).count());
        timings.run_rows = service.said_rows(run.rows);
        timings.run_calls = static_cast<std::uint32_t>(run.calls.size());
        conclude_run_call(call, finished.calls[i], timings);
        if (finished.calls[i].outcome == Outcome::device_fault) faulted = &finished.calls[i];
        ended_well = ended_well || finished.calls[i].outcome == Outcome::ok;
    }
    if (ended_well) learn(service, run, finished.slices);
    if (faulted != nullptr) {
        take_out_of_rotation(service, faulted->detail);
    } else if (ended_well) {
        service.health.run_ended_well();
    }
    touch(run.service);
}

void WorkerMachine::learn(HostedService& service, const Run& run,
                          const std::vector<SliceTime>& slices) {
    const std::uint32_t company = company_.since(run.started, now_);
    for (std::size_t i = 0; i < slices.size(); ++i) {
        service.sizes.observe(run.shape_class, company, slices[i].rows, slices[i].took, run.choice,
                              i < run.trial_count);
    }
}

void WorkerMachine::conclude_run_call(HeldCall& call, const RunCallResult& result,
                                      const Timings& timings) {
    KeptResult kept;
    kept.answer.outcome = result.outcome;
    kept.answer.reason = result.reason;
    kept.answer.detail = result.detail;
    kept.answer.timings = timings;
    const bool too_large =
        result.outcome == Outcome::ok && result.output_bytes > call.max_result_bytes;
    if (now_ >= call.deadline) {  // rule 6: nobody waits for these bytes
        kept.answer.outcome = Outcome::retryable_fault;
        kept.answer.reason = Reason::deadline;
        kept.answer.detail = "the run ended after the deadline";
        drop_payload(result.payload);
    } else if (too_large) {
        kept.answer.outcome = Outcome::input_error;
        kept.answer.reason = Reason::too_large;
        kept.answer.detail = "the result has " + std::to_string(result.output_bytes) +
                             " bytes (max_result_bytes of this call is " +
                             std::to_string(call.max_result_bytes) +
                             "): ask for a larger result or send less";
        drop_payload(result.payload);
    } else {
        kept.answer.payload = result.payload;
        kept.answer.output_bytes = result.output_bytes;
        kept.answer.chunked = result.output_bytes > most_whole_bytes(call) && !result.large.empty();
        if (kept.answer.chunked) {
            kept.large = result.large;
            kept.answer.streamed_bytes = stream_bytes(result.large);
        }
    }
    conclude(call, std::move(kept));
}

void WorkerMachine::take_out_of_rotation(HostedService& service, const std::string& why) {
    const std::string name = service_name(service.ad.model, service.ad.version);
    note(NoteLevel::error,
         name + " leaves rotation until a self-test passes (device fault): " + why);
    service.health.fault(now_);
    plan_due_ = true;
    for (const CallKey& key : service.batcher.keys()) {
        give_up(key, {Outcome::not_started, Reason::backend_error,
                      name + " left rotation after a device fault"});
    }
}

void WorkerMachine::on(const SelfTestFinished& test) {
    HostedService* service = find_service(test.service);
    if (service == nullptr) return;
    service->health.test_finished(test.passed, now_);
    note(test.passed ? NoteLevel::info : NoteLevel::error,
         "self-test of " + service_name(service->ad.model, service->ad.version) +
             (test.passed ? " passed" : " failed: trying again later"));
    plan_due_ = true;
    touch(test.service);
}

}  // namespace farm
