#include "cpu_client/events/generator.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <iomanip>
#include <iterator>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "cpu_client/events/digitisation.h"
#include "cpu_client/events/drawn_particle.h"
#include "cpu_client/events/hit_weights.h"
#include "cpu_client/events/random_stream.h"
#include "cpu_client/events/stream_purpose.h"

namespace farm {

struct EventGenerator::SimulatedHit {
    std::uint32_t module{0};
    Cluster cluster;
    std::uint64_t particle_id{0};
    Vec3 position, momentum;  ///< true ones

    auto order() const {
        const Vec3 p = cluster.position;
        return std::tuple(module, p.x, p.y, p.z, particle_id);
    }
};

/// Hits and cells of an event while it is made, on any thread; it is given up at the first beyond
/// the limit.
class EventGenerator::RowCount {
  public:
    explicit RowCount(std::size_t limit) : limit_(limit) {}

    void add(const SimulatedHit& hit) {
        hits_.fetch_add(1, std::memory_order_relaxed);
        cells_.fetch_add(hit.cluster.cells.size(), std::memory_order_relaxed);
    }
    bool is_over() const { return hits() > limit_ || cells() > limit_; }
    Result<void> check() const {
        if (const auto done = check_hits(hits()); !done) return done;
        return check("cells", cells());
    }
    Result<void> check_hits(std::size_t count) const { return check("hits", count); }

  private:
    std::size_t hits() const { return hits_.load(std::memory_order_relaxed); }
    std::size_t cells() const { return cells_.load(std::memory_order_relaxed); }
    Result<void> check(const char* rows, std::size_t count) const {
        if (count <= limit_) return {};
        return fail(ErrorCode::too_large, "the event has " + std::to_string(count) + " " + rows +
                                              " or more (at most " + std::to_string(limit_) +
                                              "): make it of fewer particles or with less noise");
    }

    std::size_t limit_;
    std::atomic<std::size_t> hits_{0}, cells_{0};
};

namespace {

constexpr double thread_limit_count = 1024;
constexpr double noise_momentum = 1e6;  ///< GeV; as in real truth files, so that it stands out
constexpr double noise_slope = 0.3;     ///< spread of its directions about that from the origin

struct VolumeShare {
    std::int32_t volume_id;
    double share;
};
/// Noise hits of each TrackML volume in the real event 1.
constexpr std::array noise_by_volume{
    VolumeShare{7, .04},  VolumeShare{8, .10},  VolumeShare{9, .04},
    VolumeShare{12, .07}, VolumeShare{13, .30}, VolumeShare{14, .06},
    VolumeShare{16, .03}, VolumeShare{17, .32}, VolumeShare{18, .05}};

/// By module: share of the noise up to and with it. Equal in each module of a volume; a detector
/// with other volumes has the same noise in each module.
std::vector<double> cumulative_noise(const std::vector<Module>& modules) {
    std::unordered_map<std::int32_t, double> module_count;
    for (const Module& module : modules) ++module_count[module.volume_id];
    std::unordered_map<std::int32_t, double> in_module;
    for (const VolumeShare& volume : noise_by_volume) {
        if (const auto count = module_count.find(volume.volume_id); count != module_count.end()) {
            in_module[volume.volume_id] = volume.share / count->second;
        }
    }
    const bool is_known = in_module.size() == module_count.size();
    std::vector<double> until;
    double sum = 0;
    for (const Module& module : modules) {
        until.push_back(sum += is_known ? in_module[module.volume_id] : 1.0);
    }
    for (double& value : until) value /= sum;
    return until;
}

std::string short_number(double value) {
    std::ostringstream text;
    text << std::setprecision(8) << value;
    return text.str();
}

bool is_finite(Vec3 a) { return std::isfinite(a.x) && std::isfinite(a.y) && std::isfinite(a.z); }

Result<void> check_particles(const std::vector<Particle>& particles) {
    if (particles.size() > replay_limit_count) {
        return fail(ErrorCode::too_large, "there are " + std::to_string(particles.size()) +
                                              " particles (at most " +
                                              std::to_string(replay_limit_count) +
                                              " make one event): split the particle list");
    }
    std::unordered_set<std::uint64_t> known{0};
    for (const Particle& particle : particles) {
        const std::string name = "particle_id " + std::to_string(particle.particle_id);
        if (!known.insert(particle.particle_id).second) {
            return fail(ErrorCode::invalid,
                        name + " is 0, which is noise, or there twice: correct the particle list");
        }
        if (particle.q < -1 || particle.q > 1) {
            return fail(ErrorCode::invalid, name + " has charge " + std::to_string(particle.q) +
                                                " (-1, 0 or 1): correct the particle list");
        }
        const Vec3 momentum{particle.px, particle.py, particle.pz};
        if (!is_finite(momentum) || !is_finite({particle.vx, particle.vy, particle.vz})) {
            return fail(ErrorCode::invalid, name +
                                                " has a vertex or a momentum that is not a "
                                                "number (finite ones make a way): correct the "
                                                "particle list");
        }
        if (!(norm(momentum) >= 1e-6)) {
            return fail(ErrorCode::invalid,
                        name + " has no momentum (1 keV at least): correct the particle list");
        }
    }
    return {};
}

Hit to_hit(std::int32_t id, Vec3 position, const Module& module) {
    return {id,
            static_cast<float>(position.x),
            static_cast<float>(position.y),
            static_cast<float>(position.z),
            module.volume_id,
            module.layer_id,
            module.module_id};
}

TruthHit to_truth(std::int32_t id, std::uint64_t particle, Vec3 position, Vec3 momentum) {
    return {id,
            particle,
            static_cast<float>(position.x),
            static_cast<float>(position.y),
            static_cast<float>(position.z),
            static_cast<float>(momentum.x),
            static_cast<float>(momentum.y),
            static_cast<float>(momentum.z),
            0};
}

}  // namespace

Result<EventGenerator> EventGenerator::make(const Detector& detector,
                                            const GeneratorOptions& options) {
    struct Range {
        const char* name;
        double value, low, high;
        const char* unit;
    };
    const CollisionOptions& collision = options.collision;
    for (const Range& range :
         {Range{"pileup", collision.pileup, 0, pileup_limit, ""},
          Range{"z width", collision.z_width, 0, 1000, " mm"},
          Range{"eta limit", collision.eta_limit, 0.1, 10, ""},
          Range{"hard eta width", collision.hard_eta_width, 0, 10, ""},
          Range{"secondary vertices", collision.secondaries.vertices, 0, 1, ""},
          Range{"efficiency", options.efficiency, 0, 1, ""},
          Range{"noise share", options.noise_share, 0, 0.9, ""},
          Range{"field", options.propagation.field_tesla, -20, 20, " T"},
          Range{"threads", static_cast<double>(options.thread_count), 0, thread_limit_count, ""},
          Range{"row limit", static_cast<double>(options.row_limit_count), 0,
                static_cast<double>(trackml_row_limit_count), ""}}) {
        if (range.value >= range.low && range.value <= range.high) continue;
        return fail(ErrorCode::invalid,
                    std::string(range.name) + " is " + std::to_string(range.value) + " (" +
                        short_number(range.low) + " to " + short_number(range.high) + range.unit +
                        "): give another");
    }
    return EventGenerator(detector, options);
}

EventGenerator::EventGenerator(const Detector& detector, const GeneratorOptions& options)
    : detector_(&detector),
      options_(options),
      propagator_(detector, options.propagation),
      noise_until_(cumulative_noise(detector.modules())) {
    options_.collision.secondaries.field_tesla = options_.propagation.field_tesla;
}

Result<TrackmlEvent> EventGenerator::generate(std::uint32_t number) const {
    return simulate(draw_particles(options_.collision, options_.seed, number), number);
}

Result<TrackmlEvent> EventGenerator::replay(std::vector<Particle> particles,
                                            std::uint32_t number) const {
    if (const auto done = check_particles(particles); !done) return tl::unexpected(done.error());
    return simulate(std::move(particles), number);
}

std::vector<EventGenerator::SimulatedHit> EventGenerator::simulate_particle(
    const Particle& particle, std::uint32_t index, std::uint32_t number) const {
    RandomStream way({options_.seed, number, stream_purpose::propagation, index});
    RandomStream signal({options_.seed, number, stream_purpose::digitisation, index});
    std::vector<SimulatedHit> hits;
    for (const ModuleCrossing& crossing : propagator_.propagate(start_of(particle), way)) {
        if (signal.uniform() > options_.efficiency) continue;
        const TrackState& state = crossing.state;
        Cluster cluster = digitise(detector_->modules()[crossing.module], state.position,
                                   state.direction, signal);
        if (cluster.cells.empty()) continue;
        hits.push_back({crossing.module, std::move(cluster), particle.particle_id, state.position,
                        state.momentum * state.direction});
    }
    return hits;
}

EventGenerator::SimulatedHit EventGenerator::simulate_noise(std::uint32_t index,
                                                            std::uint32_t number) const {
    RandomStream random({options_.seed, number, stream_purpose::noise, index});
    for (;;) {
        const auto place =
            std::upper_bound(noise_until_.begin(), noise_until_.end() - 1, random.uniform());
        const auto module_index = static_cast<std::uint32_t>(place - noise_until_.begin());
        const Module& module = detector_->modules()[module_index];
        const double v = random.uniform(-module.half_v, module.half_v);
        const double u = random.uniform(-module.max_half_u, module.max_half_u);
        const Vec3 spread{random.normal(), random.normal(), random.normal()};
        const Vec3 position = module.centre + u * module.u + v * module.v;
        const Vec3 direction = unit(unit(position) + noise_slope * spread);
        if (!module.contains(u, v)) continue;
        Cluster cluster = digitise(module, position, direction, random);
        if (cluster.cells.empty()) continue;
        return {module_index, std::move(cluster), 0, position, noise_momentum * direction};
    }
}

Result<std::vector<EventGenerator::SimulatedHit>> EventGenerator::simulate_signal(
    std::vector<Particle>& particles, std::uint32_t number, RowCount& rows) const {
    std::vector<std::vector<SimulatedHit>> by_particle(particles.size());
    tbb::parallel_for(std::size_t{0}, particles.size(), [&](std::size_t i) {
        if (rows.is_over()) return;
        by_particle[i] = simulate_particle(particles[i], static_cast<std::uint32_t>(i), number);
        particles[i].nhits = static_cast<std::int32_t>(by_particle[i].size());
        for (const SimulatedHit& hit : by_particle[i]) rows.add(hit);
    });
    if (const auto done = rows.check(); !done) return tl::unexpected(done.error());
    std::vector<SimulatedHit> hits;
    for (auto& some : by_particle) std::move(some.begin(), some.end(), std::back_inserter(hits));
    return hits;
}

Result<void> EventGenerator::add_noise(std::vector<SimulatedHit>& hits, std::uint32_t number,
                                       RowCount& rows) const {
    const auto signal_count = hits.size();
    const double noise_for_each = options_.noise_share / (1 - options_.noise_share);
    const auto noise_count =
        static_cast<std::size_t>(std::llround(static_cast<double>(signal_count) * noise_for_each));
    if (const auto done = rows.check_hits(signal_count + noise_count); !done) return done;
    hits.resize(signal_count + noise_count);
    tbb::parallel_for(std::size_t{0}, noise_count, [&](std::size_t i) {
        if (rows.is_over()) return;
        hits[signal_count + i] = simulate_noise(static_cast<std::uint32_t>(i), number);
        rows.add(hits[signal_count + i]);
    });
    return rows.check();
}

/// Signal and noise in the order of the modules; counts the hits of each particle.
Result<std::vector<EventGenerator::SimulatedHit>> EventGenerator::simulate_hits(
    std::vector<Particle>& particles, std::uint32_t number) const {
    RowCount rows(options_.row_limit_count);
    auto hits = simulate_signal(particles, number, rows);
    if (!hits) return hits;
    if (const auto done = add_noise(*hits, number, rows); !done) {
        return tl::unexpected(done.error());
    }
    std::sort(hits->begin(), hits->end(),
              [](const SimulatedHit& a, const SimulatedHit& b) { return a.order() < b.order(); });
    return hits;
}

Result<TrackmlEvent> EventGenerator::simulate(std::vector<Particle> particles,
                                              std::uint32_t number) const {
    TrackmlEvent event;
    event.particles = std::move(particles);
    tbb::task_arena arena(options_.thread_count > 0 ? options_.thread_count
                                                    : tbb::this_task_arena::max_concurrency());
    const auto hits = arena.execute([&] { return simulate_hits(event.particles, number); });
    if (!hits) return tl::unexpected(hits.error());
    std::int32_t id = 0;
    for (const SimulatedHit& hit : *hits) {
        ++id;
        event.hits.push_back(to_hit(id, hit.cluster.position, detector_->modules()[hit.module]));
        event.truth.push_back(to_truth(id, hit.particle_id, hit.position, hit.momentum));
        if (!options_.with_cells) continue;
        for (Cell cell : hit.cluster.cells) {
            cell.hit_id = id;
            event.cells.push_back(cell);
        }
    }
    set_weights(event);
    return event;
}

}  // namespace farm
