#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/core/broker_machine.h"
#include "common/net/listener.h"
#include "common/net/outbox.h"
#include "common/net/poller.h"
#include "common/ops/metrics.h"
#include "common/ops/notify.h"
#include "common/ops/signals.h"

namespace farm {

/// The glue around BrokerMachine: polls, decodes, steps, carries out the effects.
///
/// Owner: main(). One thread runs it; it decides nothing.
class BrokerLoop {
  public:
    struct Parts {
        std::unique_ptr<Router> control;
        std::unique_ptr<Router> bulk;
        std::unique_ptr<BrokerMachine> machine;
        SharedSnapshot* metrics{nullptr};  ///< null: nobody asked
    };

    BrokerLoop(Parts parts, Signals& signals);

    /// Until it is drained, or told to stop at once. Gives the exit code.
    int run();

  private:
    void take_messages(Lane lane);
    void take(Listener::Arrival arrival, Lane lane);
    void step(BrokerInput input);
    void carry_out(BrokerEffect& effect);
    void carry_out(Transmit& effect);
    void flush();
    void publish_metrics();

    Poller poller_;
    Listener listener_;
    std::unique_ptr<BrokerMachine> machine_;
    SharedSnapshot* metrics_;
    Signals& signals_;
    ServiceNotifier notifier_;
    PayloadStore payloads_;
    std::vector<Message> messages_;  ///< of the message that is being taken
    Outbox outbox_;
    BrokerEffects effects_;
    TimePoint now_;
    TimePoint next_publish_;
    bool finished_{false};
};

}  // namespace farm
