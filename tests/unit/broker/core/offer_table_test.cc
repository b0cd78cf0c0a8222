// The table against an oracle that looks at every worker anew, over random histories.
#include "broker/core/offer_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "broker/core/scheduling_policy.h"
#include "broker/core/session.h"
#include "broker/core/worker.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

/// Workers without a broker: every change is made by hand and told to the tables as the broker
/// tells it.
class OfferTableTest : public ::testing::Test {
  protected:
    Session& worker(double speed, std::vector<std::size_t> offered) {
        auto& session = *sessions_.emplace_back(std::make_unique<Session>());
        session.id = SessionId{sessions_.size()};
        session.link = LinkId{sessions_.size()};
        session.bulk_attached = true;
        session.worker = std::make_unique<Worker>(loads_);
        session.worker->streams = true;
        session.worker->open = true;
        session.worker->window_bytes = 1 << 20;
        std::uint16_t index = 0;
        for (std::size_t model : offered) offer(session, ++index, model, speed);
        return session;
    }

    void offer(Session& session, std::uint16_t index, std::size_t model, double speed) {
        while (services_.size() <= model) services_.push_back(std::make_unique<Service>());
        ServiceAd ad;
        ad.batch = model % 2 == 0 ? BatchRule::rows : BatchRule::none;
        ad.max_batch_rows = model % 4 == 0 ? 64 : 16;
        ad.max_result_bytes = 1000;
        for (std::uint32_t rows : {1U, 4U, 16U, 64U}) {
            const double saturating = 100e3 + 20e3 * rows + 100e3 * std::sqrt(rows);
            ad.cost.push_back({rows, static_cast<std::uint64_t>(saturating / speed)});
        }
        WorkerService& service = session.worker->add(ServiceIndex{index});
        service.rate = RateEstimate(ad.cost);
        service.ad = std::make_shared<const ServiceAd>(ad);
        service.by_version = services_[model].get();
        service.window_count = 4;
        service.last_measured = now;
        service.by_version->offers.add({&session, &service}, now);
        session.worker->service_changed(service, now);
    }

    void leave(Session& session) {
        while (!session.worker->services.empty()) {
            WorkerService& service = *session.worker->services.back();
            service.by_version->offers.remove(service.place);
            session.worker->remove(service.index);
        }
        std::erase_if(sessions_, [&](const auto& each) { return each.get() == &session; });
    }

    /// What the broker promises its clients, straight from the workers; nothing when it cannot.
    std::optional<double> finish(const Offer& offer, const Demand& demand) const {
        const Worker& worker = *offer.owner->worker;
        const WorkerService& service = *offer.service;
        const std::uint64_t result =
            demand.result_bytes != 0 ? demand.result_bytes : service.ad->max_result_bytes;
        const std::uint64_t bytes = demand.input_bytes + result;
        if (!worker.open || service.room() == 0 || service.ejected(now)) return {};
        if (service.ejection > 0ns && service.probes > 0) return {};
        if (bytes > service.ad->max_call_bytes || bytes > worker.room_bytes()) return {};
        if (demand.chunked && !offer.owner->bulk_attached) return {};
        const Duration pause =
            std::max<Duration>(2s, 20 * service.rate.expected(std::max(1U, service.last_rows)));
        if (service.outstanding_count == 0 && now >= service.last_measured + pause) return 0;
        Duration total = worker.foreign_backlog;
        for (const auto& each : worker.services) {
            total += each->backlog(each.get() == &service ? demand.rows : 0);
        }
        return static_cast<double>(total.count());
    }

    std::optional<double> best_finish(const OfferTable& table, const Demand& demand) const {
        std::optional<double> best;
        for (const Offer& offer : table.offers()) {
            const auto one = finish(offer, demand);
            if (one && (!best || *one < *best)) best = one;
        }
        return best;
    }

    TimePoint now{1h};
    WorkerLoads loads_;
    std::vector<std::unique_ptr<Session>> sessions_;
    std::vector<std::unique_ptr<Service>> services_;
};

/// One random thing that happens to a farm, told to the tables as the broker does it.
struct History {
    std::mt19937_64 random;
    std::uint64_t calls{0};

    std::uint64_t below(std::uint64_t limit) { return random() % limit; }
    std::uint32_t rows() { return static_cast<std::uint32_t>(1 + below(48)); }

    void happen(Session& session, TimePoint now) {
        Worker& worker = *session.worker;
        WorkerService& service = *worker.services[below(worker.services.size())];
        switch (below(10)) {
            case 0:
            case 1:
            case 2:
                if (service.room() == 0) return;
                worker.charge(service, {CallId::from_words(1, ++calls), 1}, rows(), below(200'000));
                return worker.service_changed(service, now);
            case 3:
            case 4:
            case 5: {
                if (worker.outstanding.empty()) return;
                WorkerService* done = worker.release(worker.outstanding.begin()->first);
                done->rate.observe(rows(), 100'000 + below(1'000'000));
                done->last_measured = now;
                done->ejection = 0ns;
                return worker.service_changed(*done, now);
            }
            case 6:
                service.window_count = static_cast<std::uint32_t>(below(6));
                worker.window_bytes = below(1 << 20);
                return worker.changed(now);
            case 7: worker.foreign_backlog = Duration(below(5'000'000)); return worker.changed(now);
            case 8:
                service.ejection = below(2) == 0 ? 0s : 1s;
                service.ejected_until = now + service.ejection;
                service.probes = static_cast<std::uint32_t>(below(2));
                return worker.service_changed(service, now);
            default:
                worker.open = below(4) != 0;
                session.bulk_attached = worker.streams = below(4) != 0;
                return worker.changed(now);
        }
    }
};

// Rows on the grid (1, 4, 16): not interpolated, so the pick must be the best.
TEST_F(OfferTableTest, PickIsTheBestThroughAnyHistory) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        sessions_.clear();
        services_.clear();
        History history{std::mt19937_64(seed)};
        const std::size_t most = seed % 2 == 0 ? 300 : 20;  // many blocks, one block
        int found = 0;
        for (int step = 0; step < 2000; ++step) {
            if (sessions_.size() < most / 2 ||
                (history.below(10) == 0 && sessions_.size() < most)) {
                const double speed = 0.1 * static_cast<double>(1 + history.below(50));
                worker(speed, {0, 1, 2 + history.below(3)});
            } else if (history.below(20) == 0) {
                leave(*sessions_[history.below(sessions_.size())]);
            }
            if (sessions_.empty()) continue;
            history.happen(*sessions_[history.below(sessions_.size())], now);
            now += Duration(history.below(20'000'000));

            Demand demand;
            demand.rows = 1U << 2 * history.below(3);
            demand.input_bytes = history.below(300'000);
            demand.result_bytes = history.below(2) == 0 ? 0 : 1 + history.below(100'000);
            demand.chunked = history.below(4) == 0;
            OfferTable& table = services_[history.below(services_.size())]->offers;
            table.prepare(demand.rows, now);
            const auto best = best_finish(table, demand);
            const auto place = table.least_finish(demand);
            ASSERT_EQ(place.has_value(), best.has_value()) << "seed " << seed << " step " << step;
            if (!place) continue;
            ++found;
            ASSERT_TRUE(table.can_take(*place, demand));
            const auto picked = finish(table[*place], demand);
            ASSERT_TRUE(picked) << "seed " << seed << " step " << step;
            // A nanosecond per call that is there, and the rounding of float.
            ASSERT_LE(*picked, *best * 1.000001 + 10) << "seed " << seed << " step " << step;
        }
        EXPECT_GT(found, 200) << "seed " << seed;
    }
}

// Other sizes are interpolated: bent cost curves, calls that do and do not fit the forming run.
TEST_F(OfferTableTest, PickForAnyRowsIsWithinFivePercentOfTheBest) {
    History history{std::mt19937_64(1)};
    for (int i = 0; i < 200; ++i) {
        worker(std::pow(10.0, static_cast<double>(history.below(200)) / 100), {0, 1, 2, 3});
    }
    std::vector<double> ratios;
    for (int step = 0; step < 20'000; ++step) {
        Session& session = *sessions_[history.below(sessions_.size())];
        Worker& load = *session.worker;
        if (load.outstanding.size() < 6) {
            WorkerService& service = *load.services[history.below(4)];
            if (service.room() == 0) continue;
            load.charge(service, {CallId::from_words(1, ++history.calls), 1}, history.rows(), 1);
            load.service_changed(service, now);
        } else {
            load.service_changed(*load.release(load.outstanding.begin()->first), now);
        }
        OfferTable& table = services_[history.below(4)]->offers;
        const Demand demand{history.rows(), 100, 0, false};
        table.prepare(demand.rows, now);
        const auto place = table.least_finish(demand);
        if (!place) continue;
        ratios.push_back(*finish(table[*place], demand) / *best_finish(table, demand));
    }
    ASSERT_GT(ratios.size(), 10'000U);
    std::ranges::sort(ratios);
    EXPECT_LT(ratios[ratios.size() / 2], 1.001);
    EXPECT_LT(ratios[ratios.size() * 99 / 100], 1.02);
    EXPECT_LT(ratios.back(), 1.05);
}

TEST_F(OfferTableTest, EqualWorkersShareCallsThatCostNothing) {
    for (int i = 0; i < 3; ++i) {
        WorkerService& service = *worker(1, {0}).worker->services[0];
        service.rate = RateEstimate({{1, 0}});
        sessions_.back()->worker->service_changed(service, now);
    }
    OfferTable& table = services_[0]->offers;
    for (std::uint64_t call = 1; call <= 9; ++call) {
        table.prepare(1, now);
        const auto place = table.least_finish(Demand{});
        ASSERT_TRUE(place);
        const Offer& offer = table[*place];
        offer.owner->worker->charge(*offer.service, {CallId::from_words(1, call), 1}, 1, 1);
        offer.owner->worker->service_changed(*offer.service, now);
    }
    for (const auto& session : sessions_) EXPECT_EQ(session->worker->outstanding.size(), 3U);
}

/// Sizes are kept as floats: what fits to the byte must fit.
TEST_F(OfferTableTest, CallThatFillsAWindowToTheByteIsTaken) {
    Session& session = worker(1, {0});
    WorkerService& service = *session.worker->services[0];
    ServiceAd ad = *service.ad;
    for (std::uint64_t window : {1'000'000'007ULL, 4'294'967'295ULL, 1'099'511'627'777ULL}) {
        session.worker->window_bytes = window;
        ad.max_call_bytes = window;
        service.ad = std::make_shared<const ServiceAd>(ad);
        session.worker->changed(now);
        services_[0]->offers.prepare(1, now);
        EXPECT_TRUE(services_[0]->offers.least_finish({1, window - 5000, 5000, false})) << window;
        EXPECT_FALSE(services_[0]->offers.least_finish({1, window, window / 100, false}));
    }
}

struct SchedulingPolicyTest : OfferTableTest {
    std::vector<std::uint64_t> sessions_picked(const std::string& name, int count) {
        const auto policy = *make_scheduling_policy(name, 1);
        OfferTable& table = services_[0]->offers;
        table.prepare(1, now);
        std::vector<std::uint64_t> picked;
        for (int i = 0; i < count; ++i) {
            const auto place = policy->pick(table, Demand{});
            picked.push_back(place ? table[*place].owner->id.value : 0);
        }
        return picked;
    }
};

TEST_F(SchedulingPolicyTest, LeastFinishPrefersTheFastest) {
    for (double speed : {1.0, 5.0, 2.0}) worker(speed, {0});
    EXPECT_EQ(sessions_picked("least_finish", 2), (std::vector<std::uint64_t>{2, 2}));
}

TEST_F(SchedulingPolicyTest, RoundRobinTakesTurnsAmongThoseThatCan) {
    for (int i = 0; i < 3; ++i) worker(1, {0});
    EXPECT_EQ(sessions_picked("round_robin", 4), (std::vector<std::uint64_t>{1, 2, 3, 1}));
    sessions_[1]->worker->open = false;
    sessions_[1]->worker->changed(now);
    EXPECT_EQ(sessions_picked("round_robin", 3), (std::vector<std::uint64_t>{1, 3, 1}));
}

TEST_F(SchedulingPolicyTest, RandomReachesAllThatCanAndNoOther) {
    for (int i = 0; i < 4; ++i) worker(1, {0});
    sessions_[3]->worker->open = false;
    sessions_[3]->worker->changed(now);
    const auto picked = sessions_picked("random", 100);
    for (std::uint64_t id : {1U, 2U, 3U}) EXPECT_GT(std::ranges::count(picked, id), 10) << id;
    EXPECT_EQ(std::ranges::count(picked, 4U), 0);
}

TEST_F(SchedulingPolicyTest, NobodyIsPickedWhereNobodyHasRoom) {
    worker(1, {0}).worker->window_bytes = 0;
    sessions_[0]->worker->changed(now);
    for (const char* name : {"least_finish", "round_robin", "random"}) {
        EXPECT_EQ(sessions_picked(name, 1), std::vector<std::uint64_t>{0}) << name;
    }
}

}  // namespace
}  // namespace farm
