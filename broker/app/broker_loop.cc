#include "broker/app/broker_loop.h"

#include <utility>

#include "common/ops/log.h"

namespace farm {
BrokerLoop::BrokerLoop(Parts parts, Signals& signals)
    : listener_(std::move(parts.control), std::move(parts.bulk), poller_),
      machine_(std::move(parts.machine)),
      metrics_(parts.metrics),
      signals_(signals),
      outbox_([this](LinkId link, Lane lane, std::span<const Buffer> frames) {
          return listener_.send(link, lane, frames);
      }) {
    poller_.watch_fd(signals_.fd());
}

int BrokerLoop::run() {
    notifier_.ready("serving");
    while (!finished_) {
        auto until = earliest(machine_->next_deadline(), notifier_.next_deadline());
        if (metrics_ != nullptr) until = earliest(until, next_publish_);
        poller_.wait(until);
        now_ = steady_now();
        if (const auto stop = signals_.take()) {
            if (*stop == Signals::Stop::now) return 1;
            log_info("asked to stop: draining");
            notifier_.stopping("draining");
            step(DrainRequested{});
        }
        take_messages(Lane::control);
        take_messages(Lane::bulk);
        step(Tick{});
        flush();
        notifier_.feed(now_);
        publish_metrics();
    }
    return 0;
}

void BrokerLoop::take_messages(Lane lane) {
    for (int taken = 1; taken <= Outbox::messages_per_turn; ++taken) {
        auto arrival = listener_.receive(lane);
        if (!arrival) return;
        take(std::move(*arrival), lane);
        if (taken % Outbox::messages_per_flush == 0) flush();
    }
}

void BrokerLoop::take(Listener::Arrival arrival, Lane lane) {
    const LinkId link = arrival.link;
    if (arrival.first) {
        const Identity& identity = *arrival.identity;
        step(PeerAppeared{link,
                          lane == Lane::bulk,
                          {identity.tenant, identity.roles.has(Role::client),
                           identity.roles.has(Role::worker), identity.roles.has(Role::admin)}});
    }
    const Buffer header = arrival.frames.empty() ? Buffer{} : arrival.frames.front();
    const auto opened = open_envelope(std::move(arrival.frames), payloads_, messages_);
    if (!opened) return step(listener_.malformed(link, header, opened.error()));
    for (Message& message : messages_) step(Received{link, std::move(message)});
}

void BrokerLoop::step(BrokerInput input) {
    machine_->step(std::move(input), now_, effects_);
    for (BrokerEffect& effect : effects_) carry_out(effect);
    effects_.clear();
}

void BrokerLoop::carry_out(BrokerEffect& effect) {
    if (auto* transmit = std::get_if<Transmit>(&effect)) return carry_out(*transmit);
    if (auto* drop = std::get_if<DropPayload>(&effect)) return payloads_.drop(drop->payload);
    if (auto* shut = std::get_if<CloseLink>(&effect)) {
        outbox_.flush_link(shut->link);
        return listener_.close(shut->link);
    }
    if (auto* bind = std::get_if<BindBulk>(&effect)) return listener_.bind(*bind);
    if (auto* text = std::get_if<Note>(&effect)) return log(*text);
    finished_ = true;
    outbox_.flush([](const LinkLost&) {});  // nobody is left to care
}

void BrokerLoop::carry_out(Transmit& effect) {
    const PayloadId id = payload_of(effect.message);
    const Payload* payload = id ? payloads_.find(id) : nullptr;
    const Lane lane = listener_.lane_of(effect.link, effect.message);
    if (!outbox_.add(effect.link, lane, effect.message, payload)) {
        log_error("a message is too long to be sent", {{"verb", verb_name(effect.message)}});
    }
    if (effect.release_payload && id) payloads_.drop(id);
}

void BrokerLoop::flush() {
    outbox_.flush([this](const LinkLost& lost) {
        listener_.close(lost.link);
        step(lost);
    });
}

void BrokerLoop::publish_metrics() {
    if (metrics_ == nullptr || now_ < next_publish_) return;
    next_publish_ = now_ + std::chrono::seconds(1);
    const BrokerStatus status = machine_->report(now_).broker;
    using Kind = Metric::Kind;
    const auto value = [](auto number) { return static_cast<double>(number); };
    metrics_->publish({
        {Kind::counter,
         "farm_broker_calls_accepted_total",
         "Calls put into a queue",
         value(status.accepted_count),
         {}},
        {Kind::counter,
         "farm_broker_calls_answered_total",
         "Answers sent to clients",
         value(status.answered_ok_count),
         {{"outcome", "ok"}}},
        {Kind::counter,
         "farm_broker_calls_answered_total",
         "Answers sent to clients",
         value(status.answered_other_count),
         {{"outcome", "other"}}},
        {Kind::counter,
         "farm_broker_refused_total",
         "Peers refused",
         value(status.refused_count),
         {}},
        {Kind::gauge, "farm_broker_clients", "Client sessions", value(status.client_count), {}},
        {Kind::gauge, "farm_broker_workers", "Worker sessions", value(status.worker_count), {}},
        {Kind::gauge,
         "farm_broker_queued_bytes",
         "Bytes held by queued calls",
         value(status.queued_bytes),
         {}},
    });
}

}  // namespace farm
