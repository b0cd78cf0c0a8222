#include "broker/core/offer_table.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "broker/core/session.h"
#include "broker/core/worker.h"

namespace farm {
namespace {

/// Larger than any time in nanoseconds, and still far from infinity, which could not be mixed.
constexpr float never = 1e30F;
/// A trial comes before all that is measured.
constexpr float at_once = -1e30F;
constexpr float closed_above = 1e29F;

/// Sizes in bytes are rounded to float: with this share less, what fits exactly is never refused.
constexpr float rounding_allowance = 1 - 2e-7F;

}  // namespace

void OfferTable::add(const Offer& offer, TimePoint now) {
    const auto place = static_cast<Place>(offers_.size());
    offers_.push_back(offer);
    offer.service->place = place;
    records_.emplace_back().finish.fill(never);
    renew_at_.push_back(TimePoint::max());
    least_result_bytes_ = std::min(least_result_bytes_, offer.service->ad->max_result_bytes);
    resize_blocks();
    set(place, now);
}

void OfferTable::remove(Place place) {
    const std::size_t block = place / block_size;
    offers_[place] = offers_.back();
    offers_[place].service->place = place;
    records_[place] = records_.back();
    renew_at_[place] = renew_at_.back();
    block_renew_at_[block] = std::min(block_renew_at_[block], renew_at_[place]);
    offers_.pop_back();
    records_.pop_back();
    renew_at_.pop_back();
    resize_blocks();
    if (block_count() < 2) return;
    if (block < block_count()) bound_block(block);
    bound_block(block_count() - 1);
}

void OfferTable::resize_blocks() {
    const std::size_t before = block_count();
    const std::size_t after = (offers_.size() + block_size - 1) / block_size;
    if (before == after) return;
    block_renew_at_.resize(after, TimePoint::max());
    block_least_.resize(after);
    if (before == 1 && after == 2) bound_block(0);
    if (after > 1) bound_block(after - 1);
}

void OfferTable::bound_block(std::size_t block) {
    Times& least = block_least_[block];
    least.fill(never);
    const std::size_t end = std::min(records_.size(), (block + 1) * block_size);
    for (std::size_t place = block * block_size; place < end; ++place) {
        for (std::size_t column = 0; column < column_count; ++column) {
            least[column] = std::min(least[column], records_[place].finish[column]);
        }
    }
}

void OfferTable::write(Place place, const Times& finish) {
    const Times before = std::exchange(records_[place].finish, finish);
    if (block_count() < 2) return;
    const std::size_t block = place / block_size;
    Times& least = block_least_[block];
    bool lost_a_least = false;
    for (std::size_t column = 0; column < column_count; ++column) {
        lost_a_least |= finish[column] > before[column] && before[column] <= least[column];
        least[column] = std::min(least[column], finish[column]);
    }
    if (lost_a_least) bound_block(block);
}

void OfferTable::set(Place place, TimePoint now) {
    using State = WorkerService::Readiness::State;
    WorkerService& service = *offers_[place].service;
    const WorkerService::Readiness readiness = service.readiness(now);
    const WorkerService::FormingRun run = service.forming_run();
    records_[place].rows_to_full = static_cast<float>(run.rows_to_full);
    records_[place].runs_per_row = 1 / static_cast<float>(run.full_rows);
    records_[place].new_run_time = static_cast<float>(run.new_run_time.count());
    for (std::size_t column = 0; column < column_count; ++column) {
        if (!active_[column]) continue;
        float& extra = service.extra[column];
        if (readiness.state != State::open) {
            extra = readiness.state == State::closed ? never : at_once;
            continue;
        }
        const std::uint32_t rows = rows_of(column);
        const Duration steps = run.new_runs(rows) * run.new_run_time;
        extra = static_cast<float>((service.extra_time(rows) - steps).count());
    }
    renew_at_[place] = readiness.until;
    TimePoint& block_renewal = block_renew_at_[place / block_size];
    block_renewal = std::min(block_renewal, readiness.until);
    next_renewal_ = std::min(next_renewal_, readiness.until);
    shift(place);
}

void OfferTable::shift(Place place) {
    const Offer& offer = offers_[place];
    shift(place, *offer.service, *offer.owner->worker);
}

void OfferTable::shift(Place place, const WorkerService& service, const Worker& worker) {
    const auto room = static_cast<float>(std::min(worker.room_bytes(), service.max_call_bytes));
    records_[place].room = worker.streams ? room : -room;
    const auto backlog = static_cast<float>(worker.backlog().count());
    Times finish;
    for (std::size_t column = 0; column < column_count; ++column) {
        const bool known = active_[column] && worker.open;
        finish[column] = known ? backlog + service.extra[column] : never;
    }
    write(place, finish);
}

void OfferTable::hide(Place place) {
    Times finish;
    finish.fill(never);
    write(place, finish);
}

void OfferTable::activate(std::size_t column, TimePoint now) {
    if (active_[column]) return;
    active_[column] = true;
    for (Place place = 0; place < offers_.size(); ++place) set(place, now);
}

void OfferTable::prepare(std::uint32_t rows, TimePoint now) {
    const Mix mix = mix_of(rows);
    activate(mix.low, now);
    activate(mix.high, now);
    if (now < next_renewal_) return;
    next_renewal_ = TimePoint::max();
    for (std::size_t block = 0; block < block_count(); ++block) {
        if (now >= block_renew_at_[block]) {
            block_renew_at_[block] = TimePoint::max();
            const std::size_t end = std::min(offers_.size(), (block + 1) * block_size);
            for (std::size_t place = block * block_size; place < end; ++place) {
                if (now >= renew_at_[place]) set(static_cast<Place>(place), now);
                block_renew_at_[block] = std::min(block_renew_at_[block], renew_at_[place]);
            }
        }
        next_renewal_ = std::min(next_renewal_, block_renew_at_[block]);
    }
}

/// Beyond the last column the line through the last two goes on: curves are proportional there.
OfferTable::Mix OfferTable::mix_of(std::uint32_t rows) {
    rows = std::clamp(rows, 1U, 1'000'000U);
    const auto at = static_cast<std::size_t>(std::bit_width(rows) - 1) / 2;
    const std::size_t low = std::min(at, column_count - 2);
    if (rows_of(low) == rows) return {low, low};
    const float share =
        static_cast<float>(rows - rows_of(low)) / static_cast<float>(3 * rows_of(low));
    return {low, low + 1, 1 - share, share};
}

float OfferTable::needed(const Demand& demand) const {
    const std::uint64_t result =
        demand.result_bytes != 0 ? demand.result_bytes : least_result_bytes_;
    return static_cast<float>(demand.input_bytes + result) * rounding_allowance;
}

/// One search for the least; `best` falls as blocks are read.
struct OfferTable::Search {
    const OfferTable& table;
    Mix mix;
    float rows;
    float needed;
    float other_sign;  ///< of the room that will do as well
    float best{closed_above};
    Place place{0};

    /// A lower bound: new runs cost more.
    float bound(std::size_t block) const { return mix.of(table.block_least_[block]); }

    /// As WorkerService::FormingRun::new_runs(); the half keeps clear of rounding.
    float new_runs(const Record& record) const {
        const float beyond = (rows - record.rows_to_full - 0.5F) * record.runs_per_row;
        return 1 + static_cast<float>(static_cast<std::int32_t>(beyond));
    }

    void read(std::size_t block) {
        const std::size_t end = std::min(table.records_.size(), (block + 1) * block_size);
        for (std::size_t at = block * block_size; at < end; ++at) {
            const Record& record = table.records_[at];
            float finish = mix.of(record.finish);
            if (rows > record.rows_to_full) finish += new_runs(record) * record.new_run_time;
            const float room = std::max(record.room, other_sign * record.room);
            if (finish < best && room >= needed) {
                best = finish;
                place = static_cast<Place>(at);
            }
        }
    }
};

std::optional<OfferTable::Place> OfferTable::least_finish(const Demand& demand) const {
    Search search{*this, mix_of(demand.rows), static_cast<float>(demand.rows), needed(demand),
                  demand.chunked ? 1.0F : -1.0F};
    if (block_count() == 1) {
        search.read(0);
    } else if (block_count() > 1) {
        std::size_t likely = 0;
        for (std::size_t block = 1; block < block_count(); ++block) {
            if (search.bound(block) < search.bound(likely)) likely = block;
        }
        search.read(likely);
        for (std::size_t block = 0; block < block_count(); ++block) {
            if (block != likely && search.bound(block) < search.best) search.read(block);
        }
    }
    return search.best < closed_above ? std::optional(search.place) : std::nullopt;
}

bool OfferTable::can_take(Place place, const Demand& demand) const {
    const Record& record = records_[place];
    const float room = demand.chunked ? record.room : std::fabs(record.room);
    return room >= needed(demand) && mix_of(demand.rows).of(record.finish) < closed_above;
}

}  // namespace farm
