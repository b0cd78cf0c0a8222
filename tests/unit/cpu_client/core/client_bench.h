#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cpu_client/core/client_machine.h"

namespace farm {

/// A ClientMachine with a hand-made broker: says what the broker says, remembers the effects, and
/// keeps the books of payloads, so that a leak or a double release shows.
class ClientBench {
  public:
    explicit ClientBench(std::vector<std::string> addresses = {"tcp://a:5600"},
                         ClientOptions options = {})
        : machine(with(std::move(options), std::move(addresses))) {}

    // ---- driving ----
    void step(const ClientInput& input) {
        const std::size_t before = effects.size();
        machine.step(input, now, effects);
        for (std::size_t i = before; i < effects.size(); ++i) note(effects[i]);
    }
    void advance(Duration duration) {
        now += duration;
        step(Tick{});
    }
    /// Ticks at each deadline of the machine's own until `duration` has gone by, as a rim would.
    void run_for(Duration duration) {
        const TimePoint end = now + duration;
        while (machine.next_deadline() && *machine.next_deadline() <= end) {
            now = std::max(now, *machine.next_deadline());
            step(Tick{});
        }
        now = end;
        step(Tick{});
    }
    void from_broker(Message message) { step(Received{link, std::move(message)}); }

    /// Connects to whatever is asked for next, and greets.
    void connect(Welcome welcome = {}) {
        if (welcome.session == SessionId{}) welcome.session = SessionId{7};
        if (!welcome.broker) welcome.broker = PeerId::from_words(9, 9);
        step(Tick{});
        for (int i = 0; i < 100 && !connecting; ++i) {
            now = std::max(now, machine.next_deadline().value_or(now));
            step(Tick{});
        }
        ASSERT_TRUE(connecting) << "the machine asks for no link";
        step(LinkOpened{link});
        ASSERT_NE(sent<Hello>(), nullptr);
        from_broker(welcome);
    }

    Submit call(std::uint64_t number, Duration deadline = std::chrono::seconds(60)) {
        Submit submit;
        submit.id = CallId::from_words(1, number);
        submit.service = "gnn";
        submit.payload = fresh_payload();
        submit.input_bytes = 100;
        submit.deadline = now + deadline;
        return submit;
    }
    Answer answer(std::uint64_t number, Outcome outcome = Outcome::ok, Reason reason = Reason::none,
                  std::uint8_t attempt = 1) {
        Answer message;
        message.key = {CallId::from_words(1, number), attempt};
        message.outcome = outcome;
        message.reason = reason;
        message.worker = SessionId{50};
        if (outcome == Outcome::ok) message.payload = fresh_payload();
        return message;
    }
    void answers(Answer message, std::vector<LargeTensor> large = {}) {
        step(AnswerArrived{link, std::move(message), std::move(large)});
    }
    PayloadId fresh_payload() {
        const PayloadId id{++last_payload};
        held[id] = 1;
        return id;
    }

    // ---- looking ----
    /// The last message of that kind which was transmitted; null when there is none.
    template <class T>
    const T* sent() const {
        for (auto it = effects.rbegin(); it != effects.rend(); ++it) {
            const auto* transmit = std::get_if<Transmit>(&*it);
            if (transmit == nullptr) continue;
            if (const auto* message = std::get_if<T>(&transmit->message)) return message;
        }
        return nullptr;
    }
    template <class T>
    std::size_t sent_count() const {
        std::size_t count = 0;
        for (const ClientEffect& effect : effects) {
            const auto* transmit = std::get_if<Transmit>(&effect);
            count += transmit != nullptr && std::holds_alternative<T>(transmit->message);
        }
        return count;
    }
    template <class T>
    const T* last() const {
        for (auto it = effects.rbegin(); it != effects.rend(); ++it) {
            if (const auto* effect = std::get_if<T>(&*it)) return effect;
        }
        return nullptr;
    }
    template <class T>
    std::size_t count() const {
        std::size_t count = 0;
        for (const ClientEffect& effect : effects) count += std::holds_alternative<T>(effect);
        return count;
    }
    /// The one Complete of a call; null while it is open.
    const Complete* completed(std::uint64_t number) const {
        const auto found = completes.find(CallId::from_words(1, number));
        return found == completes.end() ? nullptr : &found->second;
    }
    /// Payloads that the machine still owns.
    std::size_t held_count() const { return held.size(); }

    TimePoint now{std::chrono::seconds(1000)};
    ClientMachine machine;
    std::vector<ClientEffect> effects;
    LinkId link;
    std::uint16_t address{0};
    bool connecting{false};
    std::set<LinkId> workers;  ///< links of the direct path

  private:
    static ClientOptions with(ClientOptions options, std::vector<std::string> addresses) {
        options.peer = PeerId::from_words(3, 3);
        options.epoch = 1;
        options.addresses = std::move(addresses);
        return options;
    }

    void release(PayloadId id) {
        EXPECT_EQ(held.erase(id), 1U) << "payload " << id.value << " was released twice";
    }

    void note(const ClientEffect& effect) {
        if (const auto* open = std::get_if<OpenLink>(&effect)) {
            link = open->link;
            address = open->address;
            connecting = true;
        } else if (const auto* direct = std::get_if<OpenDirect>(&effect)) {
            workers.insert(direct->link);
        } else if (const auto* shut = std::get_if<CloseLink>(&effect)) {
            if (workers.erase(shut->link) == 0) connecting = false;
        } else if (const auto* drop = std::get_if<DropPayload>(&effect)) {
            release(drop->payload);
        } else if (const auto* stored = std::get_if<StoreChunk>(&effect)) {
            release(stored->chunk);
        } else if (const auto* quarantine = std::get_if<Quarantine>(&effect)) {
            release(quarantine->payload);
        } else if (const auto* complete = std::get_if<Complete>(&effect)) {
            if (complete->payload) release(complete->payload);
            EXPECT_TRUE(completes.emplace(complete->id, *complete).second)
                << "a second Complete for call " << short_hex(complete->id);
        } else if (const auto* transmit = std::get_if<Transmit>(&effect)) {
            EXPECT_TRUE(transmit->link == link || workers.contains(transmit->link))
                << "sent on a dead link";
        }
    }

    std::map<PayloadId, int> held;
    std::map<CallId, Complete> completes;
    std::uint64_t last_payload{0};
};

}  // namespace farm
