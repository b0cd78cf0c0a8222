#pragma once

#include <memory>

#include "common/core/error.h"
#include "gpu_worker/backends/device.h"
#include "gpu_worker/core/backend.h"
#include "gpu_worker/core/model_source.h"

namespace farm {

/// Track finding as one service: `backend: "tracks"` in config.pbtxt, TorchScript networks in the
/// version's folder, and in the parameters map (defaults in brackets)
///
///     farm.tracks.graph           "radius" (default) or "doublets"
///   radius: pairs within a radius of one another in an embedding
///     farm.tracks.embedding       file of the network
///     farm.tracks.radius          [1.6]
///     farm.tracks.neighbour_limit an edge stays if it is among that many nearest of either of its
///                                 points; 0: all within the radius stay [0]
///   doublets: pairs inside geometric windows, see tracking/doublet_graph.h
///     farm.tracks.doublet_least_dr [1], doublet_largest_dr [200] mm,
///     farm.tracks.doublet_largest_dphi [0.1] rad, doublet_largest_slope [6e-4] rad/mm,
///     farm.tracks.doublet_largest_z0 [200] mm
///     farm.tracks.edge_limit      most edges of a run's graph, 1 to [32 000 000]
///     farm.tracks.point_limit     most space points of a run, 1 to 4 000 000 [500 000]
///     farm.tracks.filter          file of the network [none: no edge is dropped]
///     farm.tracks.filter_input    "graph" (default) or "pairs", see track_networks.h
///     farm.tracks.filter_cut      probability that an edge must exceed [0.21]
///     farm.tracks.filter_chunk    edges that the filter sees at once; 0: all
///                                 [65 536; on a GPU 524 288]; a kernel of ours sees all
///     farm.tracks.classifier      file of the network, which sees the whole graph
///     farm.tracks.undirected      "true": it sees each edge in both directions ["false"]
///     farm.tracks.tracks          "components" (default), "junction_removal" or "walkthrough"
///     farm.tracks.cut             of the first two: probability that an edge must exceed [0.75]
///     farm.tracks.component_cut [0.01], walk_cut [0.1], branch_cut [0.6]     of the walk
///     farm.tracks.minimum_hits    smaller tracks have no label (-1) [1; 3 for the walk]
///     farm.tracks.scale_r [1000], scale_phi [pi], scale_z [1000]
///                                 mm and rad of one unit of the networks' features
///     farm.tracks.features        "scaled" (default): FEATURES are in these units; "mm": in mm and
///                                 rad, and divided by them here
///
/// Inputs: FEATURES float32 [n, 3] (r, phi, z), and if it is declared the optional EDGES_WANTED
/// bool [1]. Outputs: LABELS int64 [n]; and if they are declared
///     EDGES int64 [2, e], SCORES float32 [e]   the classified edges and their probabilities
///     GRAPH_EDGES int32 [2, g]                 those of the graph, of which there are many more
///     STAGES float64 [5, 2]                    milliseconds and edges left of embedding, graph,
///                                              filter, classifier, tracks
/// With EDGES_WANTED declared, edges and scores are empty where a call does not ask for them.
/// Batching: "none", or "ragged" with FEATURES and LABELS alone and a batch_input EVENT_ENDS of
/// kind BATCH_ACCUMULATED_ELEMENT_COUNT, TYPE_INT64, of FEATURES: events run as a disjoint union.
///
/// An event that breaks a limit is an input_error; what the networks cannot mean, such as a NaN, is
/// a retryable_fault. A run of several events fails with one of them (executor.h says what then).
///
/// Each instance has farm.intra_op_threads threads; instances run side by side. On a GPU every
/// stage of graph "radius" runs on the device, each instance on a stream of its own; with
/// "doublets" the networks alone do. Networks of training/ are kernels of ours there, in float32;
/// the service's label "kernels" names those that are.
Result<std::shared_ptr<LoadedModel>> load_tracks_model(const ModelSource& source,
                                                       const Device& device);

}  // namespace farm
