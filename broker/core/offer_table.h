#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/core/clock.h"
#include "common/core/pool.h"

namespace farm {

struct Session;
struct Worker;
struct WorkerService;

/// One worker's offer of one service. Lives as long as the worker's session offers it.
struct Offer {
    Session* owner{nullptr};
    WorkerService* service{nullptr};
};

/// What all offers of one worker have in common. A change of a worker's load is one write here,
/// whatever it offers; the loads of all workers lie close together (WorkerLoads), so that a pick
/// reads few lines of memory for many workers.
struct WorkerLoad {
    static constexpr float closed = 3e30F;  ///< still late with an offer that is due `at_once`

    float backlog{closed};  ///< nanoseconds; `closed` while the worker takes no calls
    float room{0};          ///< bytes; negative while the worker has no bulk socket
};
using WorkerLoads = Pool<WorkerLoad>;

/// What a call asks of the worker that takes it.
struct Demand {
    std::uint32_t rows{1};
    std::uint64_t input_bytes{0};
    std::uint64_t result_bytes{0};  ///< 0: as each offer's signature says
    bool chunked{false};            ///< needs the worker's bulk socket
};

/// The offers of one service with the time at which each would be done with one more call, so that
/// the least is found without looking at the workers.
///
/// It decides nothing: it mirrors what Worker and WorkerService say. A finish time is the backlog
/// of the worker, read where it is kept, and what the call adds to it at this service, which is
/// kept here and must be told (set); what changes by time alone (trials, the end of an ejection) it
/// notes and renews itself in prepare(). Times are floats in nanoseconds, for calls of 1, 4, 16, 64
/// and 256 rows as far as calls near these occur. Between two of them they are interpolated, with a
/// step for every run that a call begins because it does not fit into the one that is forming:
/// exact for a cost that is straight there, within 5 % for bent ones. An offer that cannot take a
/// call now finishes `never`.
///
/// A pick reads 48 bytes of each offer. Above 64 offers it reads one bound per block of 64 and the
/// blocks whose least can still win; a bound that a busier worker has made too low is put right
/// when it is met, one that an idler worker has made too high must be told (lower).
/// Owned by a Service, one thread.
class OfferTable {
  public:
    using Place = std::uint32_t;

    /// The place of an offer changes when another one leaves: it is kept in WorkerService::place.
    void add(const Offer& offer, TimePoint now);
    void remove(Place place);

    /// The service changed: its room, rate, calls or ejection.
    void set(Place place, TimePoint now);
    /// The backlog of the worker fell. Only a matter where Worker::bounded_offer_count is not 0.
    void lower(Place place);
    /// Out of the way until the next set(): cannot take the call that is being placed.
    void hide(Place place);

    /// To be called before picking: brings up to date what time alone changed, and the finish times
    /// for calls of that size.
    void prepare(std::uint32_t rows, TimePoint now);
    /// The least finish time among those that have room, as far as is known here: who picks checks
    /// the offer itself and hides it when it cannot take the call.
    std::optional<Place> least_finish(const Demand& demand) const;
    bool can_take(Place place, const Demand& demand) const;

    const Offer& operator[](Place place) const { return offers_[place]; }
    std::span<const Offer> offers() const { return offers_; }
    std::size_t size() const { return offers_.size(); }
    bool empty() const { return offers_.empty(); }

    static constexpr std::size_t block_size = 64;
    static constexpr std::size_t column_count = 5;  ///< 1, 4, 16, 64, 256 rows
    static constexpr std::uint32_t rows_of(std::size_t column) { return 1U << 2 * column; }

  private:
    using Times = std::array<float, column_count>;  ///< of calls with rows_of(column) rows
    struct Record {
        const WorkerLoad* load{nullptr};
        float max_call_bytes{0};
        float rows_to_full{0};  ///< of the run that is forming
        float runs_per_row{0};  ///< of full ones
        float new_run_ns{0};    ///< what each run costs that a call with more rows begins
        Times extra;            ///< added to the worker's backlog, without new_run_ns
    };
    /// Where a call's size lies between two columns.
    struct Mix {
        std::size_t low{0};
        std::size_t high{0};
        float low_share{1};
        float high_share{0};

        float of(const Times& times) const {
            return low_share * times[low] + high_share * times[high];
        }
    };
    struct Search;

    static Mix mix_of(std::uint32_t rows);
    void activate(std::size_t column, TimePoint now);
    void bound_block(std::size_t block) const;
    void resize_blocks();
    void count_bounded(std::size_t from, int change) const;
    float needed(const Demand& demand) const;
    std::size_t block_count() const { return block_renew_at_.size(); }

    std::vector<Offer> offers_;
    std::vector<Record> records_;
    /// Finish times from below, while there are several blocks; a search puts them right.
    mutable std::vector<Times> block_least_;
    std::array<bool, column_count> active_{};
    std::vector<TimePoint> renew_at_;
    std::vector<TimePoint> block_renew_at_;  ///< bounds, from below
    TimePoint next_renewal_{TimePoint::max()};
    std::uint64_t least_result_bytes_{UINT64_MAX};  ///< of the signatures; a bound, from below
};

}  // namespace farm
