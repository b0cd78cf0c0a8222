#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gpu_worker/core/worker_machine.h"

namespace farm {

/// A rim without sockets, devices and bytes around a WorkerMachine: makes inputs, remembers
/// effects, and keeps the books of payloads, links and runs. `problems` says what the machine did
/// wrong: a payload used after it was given away or given away twice, a message on a dead link, a
/// busy instance started again, or a deadline that stays due.
class WorkerRim {
  public:
    struct CallOptions {
        std::uint8_t attempt{1};
        std::uint16_t service{1};
        std::uint32_t remaining_ms{60'000};
        std::uint32_t rows{1};
        std::uint64_t shape_class{0};
        std::uint8_t priority{100};
        bool suspect{false};
        std::uint64_t input_bytes{100};
        std::uint64_t max_result_bytes{1000};
        bool chunked{false};
        std::optional<Error> problem;
    };

    /// Of a lease that a client presents.
    struct LeaseTermsOptions {
        std::uint64_t number{1};
        std::string service{"m1"};
        std::uint32_t request_count{1};
        std::uint64_t device_bytes{1 << 20};
        Duration valid{std::chrono::seconds(10)};
        std::uint32_t forged_count{0};  ///< added after the seal was made
    };

    explicit WorkerRim(std::size_t brokers = 1, std::uint64_t device_bytes = 1ULL << 30);

    /// Everything below returns the effects of one step.
    const WorkerEffects& step(const WorkerInput& input);
    const WorkerEffects& advance(Duration by);
    const WorkerEffects& model(ServiceAd ad, std::vector<std::uint32_t> preferred_rows = {},
                               Duration max_queue_delay = {});
    const WorkerEffects& opened(std::size_t broker) { return step(LinkOpened{link(broker)}); }
    const WorkerEffects& lost(std::size_t broker);
    const WorkerEffects& welcome(std::size_t broker, std::vector<CallKey> known = {},
                                 std::uint64_t epoch = 1);
    /// opened, welcome, the broker's ATTACH.
    void join(std::size_t broker);
    /// A client connects directly and says HELLO; its number goes where a broker's goes.
    const WorkerEffects& connect(std::size_t client, bool same_host = false);
    /// It presents a lease that the broker has sealed.
    const WorkerEffects& lease(std::size_t client, std::size_t broker,
                               const LeaseTermsOptions& options);
    const WorkerEffects& receive(std::size_t broker, Message message);
    const WorkerEffects& call(std::size_t broker, std::uint64_t number, const CallOptions& options);
    const WorkerEffects& call(std::size_t broker, std::uint64_t number) {
        return call(broker, number, CallOptions{});
    }
    const WorkerEffects& finish(RunId run, Outcome outcome = Outcome::ok,
                                std::uint64_t bytes = 100);
    /// A broker's BEAT that acknowledges all CREDITs and RESULTs so far.
    const WorkerEffects& beat(std::size_t broker, std::vector<QueueDepth> depths = {});

    LinkId link(std::size_t broker) const { return links_.at(broker); }
    bool has_link(std::size_t broker) const { return links_.contains(broker); }
    PayloadId new_payload();

    WorkerMachine machine;
    TimePoint now{std::chrono::hours(1)};
    WorkerEffects effects;                               ///< of the last step
    std::map<RunId, StartRun> runs;                      ///< under way
    std::set<std::uint64_t> live_payloads;               ///< the machine's, by id
    std::map<std::size_t, Credit> credits;               ///< the last one of each broker
    std::map<std::size_t, std::vector<Answer>> answers;  ///< all, by broker
    std::map<std::size_t, Secret> lease_keys;            ///< as each broker has it
    std::vector<ServiceAd> ads;                          ///< all, in their order
    std::vector<std::string> problems;
    /// What finish() says that a slice with so many rows took; without it, its share of the time
    /// since the run began.
    std::function<Duration(std::uint32_t rows)> slice_time;

  private:
    void book_input(const WorkerInput& input);
    void book(const WorkerEffect& effect);
    void spend(PayloadId payload, const char* how);
    void use(PayloadId payload, const char* how);
    std::optional<std::size_t> broker_of(LinkId link, const char* how);

    std::vector<SliceTime> slice_times(const StartRun& run) const;

    std::map<std::size_t, LinkId> links_;
    std::map<RunId, TimePoint> started_;
    std::map<std::size_t, std::uint64_t> result_sequences_;
    std::uint64_t next_payload_{1};
};

PeerId client_peer(std::size_t client);
CallKey call_key(std::uint64_t number, std::uint8_t attempt = 1);

/// The messages of one verb among effects.
template <class Verb>
std::vector<Verb> sent(const WorkerEffects& effects) {
    std::vector<Verb> found;
    for (const WorkerEffect& effect : effects) {
        if (const auto* transmit = std::get_if<Transmit>(&effect)) {
            if (const auto* verb = std::get_if<Verb>(&transmit->message)) found.push_back(*verb);
        }
    }
    return found;
}

template <class Effect>
std::vector<Effect> all_of(const WorkerEffects& effects) {
    std::vector<Effect> found;
    for (const WorkerEffect& effect : effects) {
        if (const auto* one = std::get_if<Effect>(&effect)) found.push_back(*one);
    }
    return found;
}

}  // namespace farm
