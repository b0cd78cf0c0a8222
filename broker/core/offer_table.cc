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
    const bool had_bounds = block_count() > 1;
    const auto place = static_cast<Place>(offers_.size());
    offers_.push_back(offer);
    offer.service->place = place;
    Record& record = records_.emplace_back();
    record.load = offer.owner->worker->load();
    record.extra.fill(never);
    renew_at_.push_back(TimePoint::max());
    least_result_bytes_ = std::min(least_result_bytes_, offer.service->ad->max_result_bytes);
    resize_blocks();
    if (block_count() > 1) count_bounded(had_bounds ? place : 0, +1);
    set(place, now);
}

void OfferTable::remove(Place place) {
    const bool had_bounds = block_count() > 1;
    const std::size_t block = place / block_size;
    std::swap(offers_[place], offers_.back());
    offers_[place].service->place = place;
    records_[place] = records_.back();
    renew_at_[place] = renew_at_.back();
    block_renew_at_[block] = std::min(block_renew_at_[block], renew_at_[place]);
    if (had_bounds) count_bounded(offers_.size() - 1, -1);
    offers_.pop_back();
    records_.pop_back();
    renew_at_.pop_back();
    resize_blocks();
    if (had_bounds && block_count() < 2) count_bounded(0, -1);
    if (block_count() > 1 && place < offers_.size()) lower(place);
}

/// Workers need not tell of their load where no bound depends on it.
void OfferTable::count_bounded(std::size_t from, int change) const {
    for (std::size_t place = from; place < offers_.size(); ++place) {
        offers_[place].owner->worker->bounded_offer_count += change;
    }
}

void OfferTable::resize_blocks() {
    const std::size_t before = block_count();
    const std::size_t after = (offers_.size() + block_size - 1) / block_size;
    if (before == after) return;
    block_renew_at_.resize(after, TimePoint::max());
    block_least_.resize(after);
    if (before == 1 && after == 2) bound_block(0);
    if (after > before && after > 1) bound_block(after - 1);
}

void OfferTable::bound_block(std::size_t block) const {
    Times least;
    least.fill(never);
    const std::size_t end = std::min(records_.size(), (block + 1) * block_size);
    for (std::size_t place = block * block_size; place < end; ++place) {
        const Record& record = records_[place];
        for (std::size_t column = 0; column < column_count; ++column) {
            least[column] = std::min(least[column], record.load->backlog + record.extra[column]);
        }
    }
    block_least_[block] = least;
}

void OfferTable::lower(Place place) {
    if (block_count() < 2) return;
    const Record& record = records_[place];
    Times& least = block_least_[place / block_size];
    for (std::size_t column = 0; column < column_count; ++column) {
        least[column] = std::min(least[column], record.load->backlog + record.extra[column]);
    }
}

void OfferTable::set(Place place, TimePoint now) {
    using State = WorkerService::Readiness::State;
    const WorkerService& service = *offers_[place].service;
    const WorkerService::Readiness readiness = service.readiness(now);
    const WorkerService::FormingRun run = service.forming_run();
    Record& record = records_[place];
    record.max_call_bytes = static_cast<float>(service.ad->max_call_bytes);
    record.rows_to_full = static_cast<float>(run.rows_to_full);
    record.runs_per_row = 1 / static_cast<float>(run.full_rows);
    record.new_run_ns = static_cast<float>(run.new_run_ns);
    for (std::size_t column = 0; column < column_count; ++column) {
        if (!active_[column]) continue;
        float& extra = record.extra[column];
        if (readiness.state != State::open) {
            extra = readiness.state == State::closed ? never : at_once;
            continue;
        }
        const std::uint32_t rows = rows_of(column);
        extra = static_cast<float>(service.extra_ns(rows) - run.new_runs(rows) * run.new_run_ns);
    }
    renew_at_[place] = readiness.until;
    TimePoint& block_renewal = block_renew_at_[place / block_size];
    block_renewal = std::min(block_renewal, readiness.until);
    next_renewal_ = std::min(next_renewal_, readiness.until);
    lower(place);
}

void OfferTable::hide(Place place) { records_[place].extra.fill(never); }

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
            float finish = record.load->backlog + mix.of(record.extra);
            if (rows > record.rows_to_full) finish += new_runs(record) * record.new_run_ns;
            const float room = std::max(record.load->room, other_sign * record.load->room);
            if (finish < best && std::min(room, record.max_call_bytes) >= needed) {
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
            if (block == likely || search.bound(block) >= search.best) continue;
            bound_block(block);
            if (search.bound(block) < search.best) search.read(block);
        }
        if (search.place / block_size != likely) bound_block(likely);
    }
    return search.best < closed_above ? std::optional(search.place) : std::nullopt;
}

bool OfferTable::can_take(Place place, const Demand& demand) const {
    const Record& record = records_[place];
    const float room = demand.chunked ? record.load->room : std::fabs(record.load->room);
    const float finish = record.load->backlog + mix_of(demand.rows).of(record.extra);
    return std::min(room, record.max_call_bytes) >= needed(demand) && finish < closed_above;
}

}  // namespace farm
