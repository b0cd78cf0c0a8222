#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "broker/core/broker_machine.h"

namespace farm::bench {

/// What workers of a site say: a model with five tensors, labels and a measured curve. `speed` 1 is
/// a run of 200 us + 20 us a row.
ServiceAd usual_ad(std::size_t model, std::uint16_t index, double speed);
double speed_of(std::size_t worker);

/// A BrokerMachine with `workers` workers of 4 services each out of `models`, and the hands that
/// play clients and workers: everything goes through step(), as in the program.
class BrokerFarm {
  public:
    BrokerFarm(std::size_t workers, std::size_t models);

    /// One call comes and, once `outstanding` are under way, the oldest of them is answered.
    void call_and_answer(std::size_t outstanding);
    /// One worker says that it is alive.
    void beat();
    void advertise_again(std::size_t worker);
    void withdraw(std::size_t worker);
    BrokerMachine& machine() { return machine_; }

    static constexpr std::size_t services_per_worker = 4;

  private:
    struct UnderWay {
        LinkId worker;
        CallKey key;
        std::uint32_t rows{1};
    };

    void receive(LinkId link, Message message);
    void join(LinkId link, Role role);
    Advertise offers_of(std::size_t worker) const;
    std::uint64_t random();
    LinkId worker_link(std::size_t worker) const { return LinkId{1 + worker}; }

    std::size_t worker_count_;
    std::size_t model_count_;
    std::uint64_t client_count_;
    TimePoint now_{std::chrono::hours(1)};
    BrokerMachine machine_;
    BrokerEffects effects_;
    std::deque<UnderWay> under_way_;
    std::uint64_t calls_{0};
    std::uint64_t random_state_{1};
    std::size_t next_beat_{0};
};

}  // namespace farm::bench
