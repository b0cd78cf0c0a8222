#include "tests/support/worker_rim.h"

#include <utility>

#include "schemas/lease.h"

namespace farm {

namespace {

WorkerOptions options_for(std::size_t brokers, std::uint64_t device_bytes) {
    WorkerOptions options;
    options.peer = PeerId::from_words(7, 7);
    options.epoch = 1;
    options.name = "w1";
    options.broker_count = static_cast<std::uint16_t>(brokers);
    options.device_bytes = device_bytes;
    options.direct_url = "tcp://w1:5700";
    options.direct_bulk_url = "tcp://w1:5701";
    options.same_host = "boot/0/@w1";
    return options;
}

}  // namespace

PeerId client_peer(std::size_t client) { return PeerId::from_words(8, client); }

CallKey call_key(std::uint64_t number, std::uint8_t attempt) {
    return {CallId::from_words(1, number), attempt};
}

WorkerRim::WorkerRim(std::size_t brokers, std::uint64_t device_bytes)
    : machine(options_for(brokers, device_bytes)) {}

const WorkerEffects& WorkerRim::step(const WorkerInput& input) {
    effects.clear();
    book_input(input);
    machine.step(input, now, effects);
    for (const WorkerEffect& effect : effects) book(effect);
    if (const auto next = machine.next_deadline(); next && *next <= now) {
        problems.push_back("a deadline is still due after a step");
    }
    return effects;
}

const WorkerEffects& WorkerRim::advance(Duration by) {
    now += by;
    return step(Tick{});
}

const WorkerEffects& WorkerRim::model(ServiceAd ad, std::vector<std::uint32_t> preferred_rows,
                                      Duration max_queue_delay) {
    return step(ModelReady{std::move(ad), std::move(preferred_rows), max_queue_delay});
}

const WorkerEffects& WorkerRim::lost(std::size_t broker) {
    const LinkId gone = links_.at(broker);
    links_.erase(broker);
    return step(LinkLost{gone});
}

const WorkerEffects& WorkerRim::welcome(std::size_t broker, std::vector<CallKey> known,
                                        std::uint64_t epoch) {
    Welcome message;
    message.session = SessionId{100 + broker};
    message.broker = PeerId::from_words(9, broker + 1);
    message.broker_epoch = epoch;
    message.broker_name = "b" + std::to_string(broker + 1);
    message.bulk_url = "tcp://*:5601";
    message.known = std::move(known);
    return receive(broker, std::move(message));
}

void WorkerRim::join(std::size_t broker) {
    if (!links_.contains(broker)) step(Tick{});
    opened(broker);
    welcome(broker);
    receive(broker, Attach{SessionId{100 + broker}, {}});
}

const WorkerEffects& WorkerRim::connect(std::size_t client, bool same_host) {
    links_[client] =
        LinkId{(first_listener_link + client) | (same_host ? same_host_bit : direct_bit)};
    Hello hello;
    hello.role = Role::client;
    hello.peer = client_peer(client);
    hello.epoch = 1;
    return receive(client, std::move(hello));
}

const WorkerEffects& WorkerRim::lease(std::size_t client, std::size_t broker,
                                      const LeaseTermsOptions& options) {
    LeaseGrant grant;
    grant.lease = options.number;
    grant.request_count = options.request_count;
    grant.device_bytes = options.device_bytes;
    grant.expires_ms = milliseconds_of(now + options.valid);
    grant.mac = seal(lease_keys.at(broker), {client_peer(client), options.service, grant});
    grant.request_count += options.forged_count;
    return receive(client, Lease{options.service, {grant}});
}

const WorkerEffects& WorkerRim::receive(std::size_t broker, Message message) {
    return step(Received{link(broker), std::move(message)});
}

PayloadId WorkerRim::new_payload() { return PayloadId{next_payload_++}; }

const WorkerEffects& WorkerRim::call(std::size_t broker, std::uint64_t number,
                                     const CallOptions& options) {
    CallArrived arrived;
    arrived.link = link(broker);
    arrived.call.key = call_key(number, options.attempt);
    arrived.call.service = "m";
    arrived.call.remaining_ms = options.remaining_ms;
    arrived.call.priority = options.priority;
    arrived.call.suspect = options.suspect;
    arrived.call.rows = options.rows;
    arrived.call.input_bytes = options.input_bytes;
    arrived.call.max_result_bytes = options.max_result_bytes;
    arrived.call.chunked = options.chunked;
    arrived.call.payload = new_payload();
    arrived.service = ServiceIndex{options.service};
    arrived.problem = options.problem;
    arrived.rows = options.rows;
    arrived.shape_class = options.shape_class;
    if (options.chunked) arrived.large = {{0, options.input_bytes}};
    return step(arrived);
}

const WorkerEffects& WorkerRim::finish(RunId run, Outcome outcome, std::uint64_t bytes) {
    RunFinished finished;
    finished.run = run;
    for ([[maybe_unused]] const RunCall& call : runs.at(run).calls) {
        RunCallResult result;
        result.outcome = outcome;
        if (outcome == Outcome::ok) {
            result.payload = new_payload();
            result.output_bytes = bytes;
            result.small_bytes = bytes;
            if (bytes > limits::small_call_bytes) result.large = {{0, bytes}};
        } else {
            result.reason = Reason::backend_error;
            result.detail = "the device said no";
        }
        finished.calls.push_back(std::move(result));
    }
    if (outcome == Outcome::ok) finished.slices = slice_times(runs.at(run));
    runs.erase(run);
    return step(finished);
}

std::vector<SliceTime> WorkerRim::slice_times(const StartRun& run) const {
    std::vector<std::uint32_t> slices = run.slices;
    if (slices.empty()) {
        slices.push_back(0);
        for (const RunCall& call : run.calls) slices.front() += call.rows;
    }
    const Duration lasted = now - started_.at(run.run);
    std::vector<SliceTime> times;
    for (const std::uint32_t rows : slices) {
        const Duration took =
            slice_time ? slice_time(rows) : lasted / static_cast<std::int64_t>(slices.size());
        times.push_back({rows, took});
    }
    return times;
}

const WorkerEffects& WorkerRim::beat(std::size_t broker, std::vector<QueueDepth> depths) {
    Beat message;
    message.credit_sequence = credits[broker].sequence;
    message.result_sequence = result_sequences_[broker];
    message.depths = std::move(depths);
    return receive(broker, std::move(message));
}

void WorkerRim::book_input(const WorkerInput& input) {
    const auto arrive = [&](PayloadId payload) {
        if (payload) live_payloads.insert(payload.value);
    };
    if (const auto* arrived = std::get_if<CallArrived>(&input)) arrive(arrived->call.payload);
    if (const auto* received = std::get_if<Received>(&input)) {
        if (const auto* chunk = std::get_if<Chunk>(&received->message)) arrive(chunk->payload);
    }
    if (const auto* finished = std::get_if<RunFinished>(&input)) {
        for (const RunCallResult& call : finished->calls) arrive(call.payload);
    }
}

void WorkerRim::spend(PayloadId payload, const char* how) {
    if (payload && live_payloads.erase(payload.value) == 0) {
        problems.push_back(std::string(how) + " of payload " + std::to_string(payload.value) +
                           ", which the machine does not own");
    }
}

void WorkerRim::use(PayloadId payload, const char* how) {
    if (payload && !live_payloads.contains(payload.value)) {
        problems.push_back(std::string(how) + " uses payload " + std::to_string(payload.value) +
                           ", which the machine does not own");
    }
}

std::optional<std::size_t> WorkerRim::broker_of(LinkId link, const char* how) {
    for (const auto& [broker, open] : links_) {
        if (open == link) return broker;
    }
    problems.push_back(std::string(how) + " on link " + std::to_string(link.value) +
                       ", which is dead");
    return std::nullopt;
}

void WorkerRim::book(const WorkerEffect& effect) {
    if (const auto* open = std::get_if<OpenLink>(&effect)) links_[open->address] = open->link;
    if (const auto* close = std::get_if<CloseLink>(&effect)) {
        if (const auto broker = broker_of(close->link, "close")) links_.erase(*broker);
    }
    if (const auto* drop = std::get_if<DropPayload>(&effect)) spend(drop->payload, "drop");
    if (const auto* store = std::get_if<StoreChunk>(&effect)) {
        use(store->into, "store");
        spend(store->chunk, "store");
    }
    if (const auto* chunk = std::get_if<TransmitChunk>(&effect)) {
        broker_of(chunk->link, "chunk");
        use(chunk->payload, "chunk");
    }
    if (const auto* run = std::get_if<StartRun>(&effect)) {
        std::uint64_t rows = 0;
        for (const RunCall& call : run->calls) {
            spend(call.payload, "run");
            rows += call.rows;
        }
        for (const std::uint32_t slice : run->slices) rows -= slice;
        if (!run->slices.empty() && (rows != 0 || run->calls.size() > 1)) {
            problems.push_back("the slices of a run are not those of its calls");
        }
        for (const auto& [id, other] : runs) {
            if (other.service == run->service && other.instance == run->instance) {
                problems.push_back("a busy instance was started again");
            }
        }
        runs[run->run] = *run;
        started_[run->run] = now;
    }
    const auto* transmit = std::get_if<Transmit>(&effect);
    if (transmit == nullptr) return;
    const auto broker = broker_of(transmit->link, "transmit");
    if (const auto* answer = std::get_if<Answer>(&transmit->message)) {
        use(answer->payload, "RESULT");
        if (transmit->release_payload) spend(answer->payload, "RESULT");
        if (!broker) return;
        answers[*broker].push_back(*answer);
        result_sequences_[*broker] = std::max(result_sequences_[*broker], answer->sequence);
    }
    if (const auto* ad = std::get_if<Advertise>(&transmit->message)) {
        ads.insert(ads.end(), ad->services.begin(), ad->services.end());
        if (broker) lease_keys[*broker] = ad->lease_key;
    }
    const auto* credit = std::get_if<Credit>(&transmit->message);
    if (credit != nullptr && broker) credits[*broker] = *credit;
}

}  // namespace farm
