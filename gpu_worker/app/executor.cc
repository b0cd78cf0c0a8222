#include "gpu_worker/app/executor.h"

#include <array>
#include <memory_resource>
#include <new>
#include <span>
#include <utility>

#include "common/core/clock.h"
#include "common/wire/body.h"
#include "gpu_worker/app/sliced_run.h"
#include "gpu_worker/backends/run_failure.h"
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

/// One attempt to run some calls of a job together.
class Attempt {
  public:
    Attempt(const ServedModel& served, BackendInstance& instance, const RunJob& job, RunDone& done,
            std::pmr::memory_resource& scratch)
        : served_(served), instance_(instance), job_(job), done_(done), scratch_(scratch) {}

    /// Whether the model has seen a call.
    bool has_run() const { return has_run_; }

    /// Fills in the outcomes of these calls; nothing is filled in when it fails. Adds to the times.
    tl::expected<void, RunFailure> run(std::span<const std::size_t> chosen) {
        std::pmr::vector<const TensorList*> calls(&scratch_);
        calls.reserve(chosen.size());
        std::uint32_t rows = 0;
        for (const std::size_t i : chosen) {
            calls.push_back(&job_.calls[i].tensors);
            rows += job_.calls[i].rows;
        }
        try {
            return run_calls(calls, rows, chosen);
        } catch (const std::bad_alloc&) {
            return tl::unexpected(
                RunFailure{Outcome::retryable_fault,
                           "no host memory for a run with " + std::to_string(rows) + " rows"});
        }
    }

    /// The outcomes of calls that a run gave none.
    void fail(std::span<const std::size_t> calls, const RunFailure& why) {
        for (const std::size_t i : calls) {
            done_.calls[i] = failed(why.outcome, Reason::backend_error, why.detail);
        }
        const bool is_lost = why.outcome == Outcome::device_fault && loses_device(why.detail);
        if (is_lost) done_.lost_device = why.detail;
    }

  private:
    tl::expected<void, RunFailure> run_calls(RunCalls calls, std::uint32_t rows,
                                             std::span<const std::size_t> chosen) {
        const Batching& batching = *served_.batching;
        const TimePoint begin = steady_now();
        Result<TensorList> combined;
        const bool as_it_is = calls.size() == 1 && batching.runs_as_it_is(*calls.front());
        if (!as_it_is) combined = batching.combine(calls, served_.allocate);
        if (!combined) {
            return tl::unexpected(RunFailure{Outcome::input_error, combined.error().message});
        }
        const TimePoint combined_at = steady_now();
        has_run_ = true;
        RunResult result = run_slices(served_.ad, instance_, as_it_is ? *calls.front() : *combined,
                                      rows, job_, done_.slices);
        const TimePoint computed_at = steady_now();
        done_.timings.input_ns += nanoseconds(combined_at - begin);
        done_.timings.compute_ns += nanoseconds(computed_at - combined_at);
        if (!result) return tl::unexpected(result.error());
        auto parts = split(rows, *std::move(result), calls);
        if (!parts) {
            return tl::unexpected(RunFailure{Outcome::device_fault, parts.error().message});
        }
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            done_.calls[chosen[i]] = packed(served_, (*parts)[i]);
        }
        done_.timings.output_ns += nanoseconds(steady_now() - computed_at);
        return {};
    }

    Result<std::vector<TensorList>> split(std::uint32_t rows, TensorList outputs, RunCalls calls) {
        const auto checked = check_outputs(served_.ad, rows, outputs);
        if (!checked) return tl::unexpected(checked.error());
        return served_.batching->split(std::move(outputs), calls);
    }

    const ServedModel& served_;
    BackendInstance& instance_;
    const RunJob& job_;
    RunDone& done_;
    std::pmr::memory_resource& scratch_;
    bool has_run_{false};
};

/// The calls whose values are sound; the others end here.
std::pmr::vector<std::size_t> sound_calls(const ServedModel& served, const RunJob& job,
                                          RunDone& done, std::pmr::memory_resource& scratch) {
    std::pmr::vector<std::size_t> sound(&scratch);
    sound.reserve(job.calls.size());
    for (std::size_t i = 0; i < job.calls.size(); ++i) {
        const auto checked = served.batching->check_values(job.calls[i].tensors);
        if (checked) {
            sound.push_back(i);
        } else {
            done.calls[i] =
                failed(Outcome::input_error, Reason::bad_input, checked.error().message);
        }
    }
    return sound;
}

/// The calls of a run that has failed because of `why`, each alone.
void run_one_by_one(const ServedModel& served, const RunJob& job, const RunFailure& why,
                    std::span<const std::size_t> calls, Attempt& attempt, RunDone& done) {
    const Outcome left_alone =
        served.ad.idempotent ? Outcome::retryable_fault : Outcome::not_started;
    for (const std::size_t& one : calls) {
        const bool is_lost = !done.lost_device.empty();
        if (is_lost || steady_now() >= job.expires) {
            attempt.fail({&one, 1}, {left_alone, is_lost ? done.lost_device : why.detail});
            continue;
        }
        const auto alone = attempt.run({&one, 1});
        if (!alone) attempt.fail({&one, 1}, alone.error());
    }
}

}  // namespace

RunDone execute(const ServedModel& served, BackendInstance& instance, RunJob job) {
    RunDone done;
    done.run = job.run;
    done.calls.resize(job.calls.size());
    done.timings.run_calls = static_cast<std::uint32_t>(job.calls.size());
    for (const RunInput& call : job.calls) done.timings.run_rows += call.rows;
    std::array<std::byte, 512> room;  // for the lists of a few calls, which end with this run
    std::pmr::monotonic_buffer_resource scratch(room.data(), room.size());
    Attempt attempt(served, instance, job, done, scratch);
    const auto sound = sound_calls(served, job, done, scratch);
    if (sound.empty()) return done;
    const auto together = attempt.run(sound);
    if (together) return done;
    const RunFailure& why = together.error();
    if (sound.size() == 1 || why.outcome == Outcome::device_fault) {
        attempt.fail(sound, why);
    } else if (!served.ad.idempotent && attempt.has_run()) {
        // Whose fault it was is not to be found out.
        attempt.fail(sound, {Outcome::retryable_fault, why.detail});
    } else {
        run_one_by_one(served, job, why, sound, attempt, done);
    }
    return done;
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

std::optional<RunDone> InstanceRunner::start(RunJob job) {
    if (runs_inline()) return execute(*served_, *instance_, std::move(job));
    {
        std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
    return std::nullopt;
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
