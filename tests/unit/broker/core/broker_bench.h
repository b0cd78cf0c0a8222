#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "broker/core/broker_machine.h"

namespace farm {

/// A broker and the hands that feed it: links are numbers, time moves when told, and everything
/// that the broker sends is remembered.
class BrokerBench {
  public:
    explicit BrokerBench(BrokerOptions options = defaults())
        : machine(std::move(options), *make_scheduling_policy("least_finish", 1), now) {}

    static BrokerOptions defaults() {
        BrokerOptions options;
        options.peer = PeerId::from_words(1, 1);
        options.name = "broker";
        options.bulk_url = "tcp://*:5601";
        return options;
    }

    void step(const BrokerInput& input) {
        BrokerEffects effects;
        machine.step(input, now, effects);
        for (BrokerEffect& effect : effects) all.push_back(std::move(effect));
    }
    void receive(std::uint64_t link, Message message) {
        step(Received{LinkId{link}, std::move(message)});
    }
    void pass(Duration time) {
        now += time;
        step(Tick{});
    }

    /// HELLO on a fresh link; peers are numbers, too.
    void join(std::uint64_t link, Role role, std::uint64_t peer, std::uint64_t epoch = 1,
              std::vector<CallKey> open = {}, const std::string& tenant = "default") {
        PeerAppeared appeared;
        appeared.link = LinkId{link};
        appeared.rights.tenant = tenant;
        step(appeared);
        Hello hello;
        hello.role = role;
        hello.peer = PeerId::from_words(9, peer);
        hello.epoch = epoch;
        hello.name = std::string(to_string(role)) + std::to_string(peer);
        hello.open = std::move(open);
        receive(link, hello);
    }
    void offer(std::uint64_t link, const std::string& model = "gnn",
               std::uint64_t max_call_bytes = limits::call_bytes) {
        ServiceAd ad;
        ad.index = ServiceIndex{1};
        ad.model = model;
        ad.max_call_bytes = max_call_bytes;
        ad.max_result_bytes = 1000;
        receive(link, Advertise{{ad}, {}, {}, {}});
    }
    void grant(std::uint64_t link, std::uint32_t requests, std::uint64_t bytes = 1 << 20) {
        Credit credit;
        credit.sequence = ++credits;
        credit.device_bytes = bytes;
        credit.windows = {{ServiceIndex{1}, requests}};
        receive(link, credit);
    }
    void worker(std::uint64_t link, std::uint64_t peer, std::uint32_t requests = 4) {
        join(link, Role::worker, peer);
        offer(link);
        grant(link, requests);
    }

    static CallKey key(std::uint64_t number, std::uint8_t attempt = 1) {
        return {CallId::from_words(7, number), attempt};
    }
    static Call make_call(std::uint64_t number, const std::string& service = "gnn") {
        Call call;
        call.key = key(number);
        call.service = service;
        call.remaining_ms = 60'000;
        call.input_bytes = 100;
        call.payload = PayloadId{number};
        return call;
    }
    static Answer make_answer(std::uint64_t number, Outcome outcome = Outcome::ok) {
        Answer answer;
        answer.key = key(number);
        answer.outcome = outcome;
        answer.payload = PayloadId{1000 + number};
        return answer;
    }

    /// What was sent since the last call of this, of one verb to one link.
    template <class Verb>
    std::vector<Verb> sent(std::uint64_t link) const {
        std::vector<Verb> found;
        for (const BrokerEffect& effect : all) {
            const auto* transmit = std::get_if<Transmit>(&effect);
            if (transmit == nullptr || transmit->link != LinkId{link}) continue;
            if (const auto* verb = std::get_if<Verb>(&transmit->message)) found.push_back(*verb);
        }
        return found;
    }
    bool dropped(std::uint64_t payload) const {
        return std::any_of(all.begin(), all.end(), [&](const BrokerEffect& effect) {
            const auto* drop = std::get_if<DropPayload>(&effect);
            return drop != nullptr && drop->payload == PayloadId{payload};
        });
    }
    bool closed(std::uint64_t link) const {
        return std::any_of(all.begin(), all.end(), [&](const BrokerEffect& effect) {
            const auto* shut = std::get_if<CloseLink>(&effect);
            return shut != nullptr && shut->link == LinkId{link};
        });
    }

    TimePoint now{std::chrono::hours(1)};
    BrokerMachine machine;
    BrokerEffects all;
    std::uint64_t credits{0};
};

}  // namespace farm
