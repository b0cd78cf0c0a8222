#include "bench/micro/broker_farm.h"

#include <algorithm>
#include <utility>

#include "common/core/expect.h"

namespace farm::bench {
namespace {

BrokerOptions options_of_a_site() {
    BrokerOptions options;
    options.peer = PeerId::from_words(1, 1);
    options.name = "broker";
    options.bulk_url = "tcp://*:5601";
    return options;
}

/// Every client may have 2 048 calls open.
std::uint64_t clients_for(std::size_t workers) { return 1 + 4 * workers / 1024; }

}  // namespace

double speed_of(std::size_t worker) {
    constexpr double speeds[] = {1.0, 1.1, 0.9, 8.0, 0.2};
    return speeds[worker % std::size(speeds)];
}

ServiceAd usual_ad(std::size_t model, std::uint16_t index, double speed) {
    ServiceAd ad;
    ad.index = ServiceIndex{index};
    ad.model = "edge_classifier_" + std::to_string(model);
    ad.hash.bytes.fill(static_cast<std::uint8_t>(model));
    ad.signature.inputs = {{"space_points", dtype::f32, {-1, 12}, false},
                           {"edge_index", dtype::i64, {2, -1}, false},
                           {"edge_attributes", dtype::f32, {-1, 6}, true}};
    ad.signature.outputs = {{"edge_scores__0", dtype::f32, {-1, 1}, false},
                            {"track_labels__1", dtype::i64, {-1}, false}};
    ad.batch = BatchRule::rows;
    ad.max_batch_rows = 64;
    ad.device_name = "NVIDIA A100-SXM4-40GB";
    ad.backend = "pytorch";
    ad.labels = {{"site", "computing-centre-north"}, {"partition", "gpu-long"}};
    for (std::uint32_t rows : {1U, 4U, 16U, 64U}) {
        ad.cost.push_back({rows, static_cast<std::uint64_t>((200e3 + 20e3 * rows) / speed)});
    }
    ad.max_result_bytes = 4096;
    ad.direct_url = "tcp://gpu-node-" + std::to_string(index) + ".site.example:45012";
    return ad;
}

BrokerFarm::BrokerFarm(std::size_t workers, std::size_t models)
    : worker_count_(workers),
      model_count_(std::min(models, workers * services_per_worker)),
      client_count_(clients_for(workers)),
      machine_(options_of_a_site(), *make_scheduling_policy("least_finish", 1), now_) {
    for (std::size_t worker = 0; worker < workers; ++worker) {
        const LinkId link = worker_link(worker);
        join(link, Role::worker);
        const Advertise offers = offers_of(worker);
        receive(link, offers);
        Credit credit;
        credit.sequence = 1;
        credit.device_bytes = 1ULL << 30;
        for (const ServiceAd& ad : offers.services) credit.windows.push_back({ad.index, 64});
        receive(link, credit);
    }
    for (std::uint64_t client = 0; client < client_count_; ++client) {
        join(LinkId{1 + workers + client}, Role::client);
    }
}

/// The services of consecutive workers, spread so that all models have equally many offers.
Advertise BrokerFarm::offers_of(std::size_t worker) const {
    Advertise offers;
    for (std::size_t i = 0; i < services_per_worker; ++i) {
        const std::size_t number = worker * services_per_worker + i;
        const std::size_t model = (number + number / model_count_ * 7 * i) % model_count_;
        offers.services.push_back(
            usual_ad(model, static_cast<std::uint16_t>(i + 1), speed_of(worker)));
    }
    return offers;
}

void BrokerFarm::receive(LinkId link, Message message) {
    effects_.clear();
    machine_.step(Received{link, std::move(message)}, now_, effects_);
}

void BrokerFarm::join(LinkId link, Role role) {
    PeerAppeared appeared;
    appeared.link = link;
    machine_.step(appeared, now_, effects_);
    Hello hello;
    hello.role = role;
    hello.peer = PeerId::from_words(9, link.value);
    hello.epoch = 1;
    hello.name = "gpu-node-" + std::to_string(link.value) + ".site.example:4711";
    receive(link, hello);
}

/// SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t BrokerFarm::random() {
    std::uint64_t z = (random_state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

void BrokerFarm::call_and_answer(std::size_t outstanding) {
    const std::uint64_t number = ++calls_;
    Call call;
    call.key = {CallId::from_words(random(), number), 1};
    call.service = "edge_classifier_" + std::to_string(random() % model_count_);
    call.remaining_ms = 60'000;
    call.rows = static_cast<std::uint32_t>(1 + random() % 32);
    call.input_bytes = 768;
    call.body_bytes = 802;
    call.payload = PayloadId{number};
    const CallKey key = call.key;
    const std::uint32_t rows = call.rows;
    receive(LinkId{1 + worker_count_ + number % client_count_}, std::move(call));
    for (const BrokerEffect& effect : effects_) {
        const auto* transmit = std::get_if<Transmit>(&effect);
        if (transmit != nullptr && std::holds_alternative<Call>(transmit->message)) {
            under_way_.push_back({transmit->link, key, rows});
        }
    }
    if (under_way_.size() <= outstanding) return;
    const UnderWay done = under_way_.front();
    under_way_.pop_front();
    Answer answer;
    answer.key = done.key;
    answer.timings.run_rows = done.rows;
    answer.timings.compute_ns =
        static_cast<std::uint64_t>((200e3 + 20e3 * done.rows) / speed_of(done.worker.value - 1));
    answer.output_bytes = 64;
    answer.body_bytes = 150;
    receive(done.worker, std::move(answer));
    FARM_ENSURE(!effects_.empty());
}

void BrokerFarm::beat() {
    receive(worker_link(next_beat_), Beat{});
    next_beat_ = (next_beat_ + 1) % worker_count_;
}

void BrokerFarm::advertise_again(std::size_t worker) {
    receive(worker_link(worker), offers_of(worker));
}

void BrokerFarm::withdraw(std::size_t worker) {
    Withdraw all;
    for (std::uint16_t i = 1; i <= services_per_worker; ++i) {
        all.services.push_back(ServiceIndex{i});
    }
    receive(worker_link(worker), all);
}

}  // namespace farm::bench
