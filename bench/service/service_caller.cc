#include "bench/service/service_caller.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "bench/load/closed_loop.h"
#include "cpu_client/app/connection.h"
#include "cpu_client/app/input_maker.h"

namespace farm::bench {
namespace {

using namespace std::chrono_literals;

/// A call that takes longer is a failure of the farm, and the bench should end.
constexpr auto deadline = 60s;

/// Answers on their way from the client's thread to the one that measures.
class Answers {
  public:
    void push(std::size_t slot, const Inference& answer) {
        const std::lock_guard lock(mutex_);
        slots_.push_back(slot);
        if (!answer.ok()) problem_ = std::string(to_string(answer.status)) + ": " + answer.detail;
        arrived_.notify_one();
    }

    Result<std::size_t> take() {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [this] { return !slots_.empty(); });
        if (!problem_.empty()) return fail(ErrorCode::internal, problem_);
        const std::size_t slot = slots_.front();
        slots_.pop_front();
        return slot;
    }

  private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::size_t> slots_;
    std::string problem_;
};

}  // namespace

Result<ServiceCaller> ServiceCaller::make(Client& client, const std::string& model,
                                          const std::filesystem::path& folder) {
    const auto entry = find_model(client, model, 10s);
    if (!entry) return tl::unexpected(entry.error());
    const auto choices = choose_events(entry->service, {}, folder);
    if (!choices) return tl::unexpected(choices.error());
    std::vector<Inputs> events;
    for (const InputChoices& choice : *choices) {
        auto inputs = make_inputs(entry->service, choice);
        if (!inputs) return tl::unexpected(inputs.error());
        events.push_back(std::move(*inputs));
    }
    return ServiceCaller(client, model, std::move(events));
}

Result<Sample> ServiceCaller::run(int clients, std::uint64_t calls) {
    // Calls that are open when one fails end later.
    const auto answers = std::make_shared<Answers>();
    const Load load{0, clients, 0, calls};
    return closed_loop(
        load,
        [&](std::size_t slot) -> Result<void> {
            client_->infer(
                model_, events_[next_++ % events_.size()], {.deadline = deadline},
                [answers, slot](const Inference& answer) { answers->push(slot, answer); });
            return {};
        },
        [&] { return answers->take(); });
}

}  // namespace farm::bench
