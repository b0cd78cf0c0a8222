#include "gpu_worker/app/executor.h"

#include <new>
#include <utility>

#include "common/core/clock.h"
#include "common/wire/body.h"
#include "gpu_worker/core/combine.h"
#include "gpu_worker/core/input_check.h"

namespace farm {
namespace {

std::uint64_t nanoseconds(Duration duration) {
    return static_cast<std::uint64_t>(duration.count());
}

CallOutcome failed(Outcome outcome, Reason reason, std::string detail) {
    CallOutcome call;
    call.outcome = outcome;
    call.reason = reason;
    call.detail = std::move(detail);
    return call;
}

CallOutcome packed(const ServedModel& served, const TensorList& outputs) {
    CallOutcome call;
    auto payload = pack_answer(outputs, served.made_by);
    if (!payload) {
        return failed(Outcome::input_error, Reason::too_large, std::move(payload.error().message));
    }
    call.output_bytes = tensor_bytes(outputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i].data.size() > limits::inline_tensor_bytes) {
            call.large.push_back({static_cast<std::uint16_t>(i), outputs[i].data.size()});
        }
    }
    call.payload = std::move(*payload);
    return call;
}

TensorList combined(std::vector<RunInput>& calls) {
    if (calls.size() == 1) return std::move(calls.front().tensors);
    std::vector<const TensorList*> parts;
    for (const RunInput& call : calls) parts.push_back(&call.tensors);
    return combine_rows(parts);
}

std::vector<TensorList> split(const TensorList& outputs, const std::vector<RunInput>& calls) {
    std::vector<std::uint32_t> rows;
    for (const RunInput& call : calls) rows.push_back(call.rows);
    return split_rows(outputs, rows);
}

}  // namespace

RunDone execute(const ServedModel& served, BackendInstance& instance, RunJob job) {
    RunDone done;
    done.run = job.run;
    done.timings.run_calls = static_cast<std::uint32_t>(job.calls.size());
    for (const RunInput& call : job.calls) done.timings.run_rows += call.rows;
    const auto all_failed = [&](Outcome outcome, Reason reason, const std::string& detail) {
        done.calls.assign(job.calls.size(), failed(outcome, reason, detail));
        return std::move(done);
    };
    try {
        const TimePoint begin = steady_now();
        const TensorList inputs = combined(job.calls);
        const TimePoint combined_at = steady_now();
        RunResult result = instance.run(inputs);
        const TimePoint computed_at = steady_now();
        done.timings.input_ns = nanoseconds(combined_at - begin);
        done.timings.compute_ns = nanoseconds(computed_at - combined_at);
        if (!result) {
            return all_failed(result.error().outcome, Reason::backend_error, result.error().detail);
        }
        const auto checked = check_outputs(served.ad, done.timings.run_rows, *result);
        if (!checked) {
            return all_failed(Outcome::device_fault, Reason::backend_error,
                              checked.error().message);
        }
        if (job.calls.size() == 1) {
            done.calls.push_back(packed(served, *result));
        } else {
            for (const TensorList& outputs : split(*result, job.calls)) {
                done.calls.push_back(packed(served, outputs));
            }
        }
        done.timings.output_ns = nanoseconds(steady_now() - computed_at);
        return done;
    } catch (const std::bad_alloc&) {
        return all_failed(
            Outcome::retryable_fault, Reason::backend_error,
            "no host memory for a run with " + std::to_string(done.timings.run_rows) + " rows");
    }
}

InstanceRunner::InstanceRunner(std::shared_ptr<const ServedModel> served,
                               std::unique_ptr<BackendInstance> instance,
                               BoundedQueue<RunDone>& done)
    : served_(std::move(served)), instance_(std::move(instance)), done_(done) {
    if (!instance_->runs_inline()) thread_ = std::thread([this] { work(); });
}

InstanceRunner::~InstanceRunner() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void InstanceRunner::start(RunJob job) {
    if (instance_->runs_inline()) {
        done_.push(execute(*served_, *instance_, std::move(job)));
        return;
    }
    {
        std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
}

void InstanceRunner::work() {
    for (;;) {
        RunJob job;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
            if (stopping_) return;
            job = std::move(jobs_.front());
            jobs_.pop_front();
        }
        done_.push(execute(*served_, *instance_, std::move(job)));
    }
}

}  // namespace farm
