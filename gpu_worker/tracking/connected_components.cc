#include "gpu_worker/tracking/connected_components.h"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>

#include <atomic>
#include <utility>

namespace farm::tracking {

namespace {

constexpr std::size_t edges_per_task = 16'384;

/// Disjoint sets that any number of threads join. A parent is never larger than its child.
class DisjointSets {
  public:
    explicit DisjointSets(std::size_t count) : parents_(count) {
        for (std::size_t i = 0; i < count; ++i) {
            parents_[i].store(static_cast<Label>(i), std::memory_order_relaxed);
        }
    }

    /// Halves the path on its way: another thread's halving can only write another ancestor.
    Label root(Label member) {
        Label parent = load(member);
        while (parent != member) {
            const Label grandparent = load(parent);
            if (grandparent == parent) return parent;
            at(member).store(grandparent, std::memory_order_relaxed);
            member = grandparent;
            parent = load(member);
        }
        return member;
    }

    void join(Label a, Label b) {
        while ((a = root(a)) != (b = root(b))) {
            if (a < b) std::swap(a, b);
            Label expected = a;  // still a root?
            if (at(a).compare_exchange_weak(expected, b, std::memory_order_relaxed)) return;
        }
    }

  private:
    std::atomic<Label>& at(Label member) { return parents_[static_cast<std::size_t>(member)]; }
    Label load(Label member) { return at(member).load(std::memory_order_relaxed); }

    std::vector<std::atomic<Label>> parents_;
};

}  // namespace

Result<Tracks> connected_components(std::size_t point_count, const EdgesView& edges) {
    if (auto checked = check_edges(edges, point_count); !checked) {
        return tl::unexpected(checked.error());
    }
    DisjointSets sets(point_count);
    const oneapi::tbb::blocked_range<std::size_t> range(0, edges.size(), edges_per_task);
    oneapi::tbb::parallel_for(range, [&](const auto& part) {
        for (std::size_t k = part.begin(); k < part.end(); ++k) {
            sets.join(edges.source[k], edges.target[k]);
        }
    });
    Tracks tracks{std::vector<Label>(point_count), 0};
    for (std::size_t i = 0; i < point_count; ++i) {
        const auto root = static_cast<std::size_t>(sets.root(static_cast<Label>(i)));
        tracks.labels[i] = root == i ? tracks.count++ : tracks.labels[root];
    }
    return tracks;
}

Tracks without_small_tracks(Tracks tracks, std::size_t minimum_hit_count) {
    std::vector<std::size_t> sizes(static_cast<std::size_t>(tracks.count));
    for (const Label label : tracks.labels) {
        if (label != no_track) ++sizes[static_cast<std::size_t>(label)];
    }
    std::vector<Label> renamed(sizes.size(), no_track);
    tracks.count = 0;
    for (std::size_t track = 0; track < sizes.size(); ++track) {
        if (sizes[track] >= minimum_hit_count) renamed[track] = tracks.count++;
    }
    for (Label& label : tracks.labels) {
        if (label != no_track) label = renamed[static_cast<std::size_t>(label)];
    }
    return tracks;
}

}  // namespace farm::tracking
