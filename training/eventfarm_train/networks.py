"""The three networks. Points are float32 [n, 3]: r / 1000 mm, phi / pi, z / 1000 mm.

All give the same for an event that is turned about the beam: phi enters the embedding as points on
circles, and the others as differences along an edge. Training need not turn events, and learns each
place of the detector from all of phi.

They are exported as TorchScript: only operators of libtorch 1.13 are used.
"""
import math
from typing import List, Tuple

import torch
from torch import Tensor, nn


def mlp(sizes: List[int], norm: bool = False) -> nn.Sequential:
    """Linear layers with SiLU between them; norm: a LayerNorm before each SiLU."""
    layers: List[nn.Module] = []
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        layers.append(nn.Linear(inputs, outputs))
        if i + 2 < len(sizes):
            layers += [nn.LayerNorm(outputs)] if norm else []
            layers.append(nn.SiLU())
    return nn.Sequential(*layers)


class Embedder(nn.Module):
    """points [n, 3] -> places [n, 12], in which hits that may follow one another are within 1.

    A place is a(r, z) (cos k phi, sin k phi) for each harmonic k, and what else depends on r and z.
    High harmonics resolve phi, each place of the detector as finely as it needs with little change
    of a; the lower ones tell the places apart that the higher fold onto one another.
    """

    def __init__(self, harmonics: Tuple[float, ...] = (1.0, 8.0, 50.0), dimensions: int = 12,
                 hidden: int = 64):
        super().__init__()
        self.register_buffer("harmonics", torch.tensor(harmonics))
        self.register_buffer("octaves", 2.0 ** torch.arange(6))
        self.circles = len(harmonics)
        self.network = mlp([4 + 3 * 12, hidden, hidden, hidden,
                            self.circles + dimensions - 2 * self.circles])
        with torch.no_grad():
            # Far apart to begin with, so that the first steps do not drown in wrong neighbours.
            self.network[-1].weight *= 3.0
            self.network[-1].bias[:self.circles] = 8.0 / self.harmonics.sqrt()

    def forward(self, points: Tensor) -> Tensor:
        r, z = points[:, 0:1], points[:, 2:3]
        eta = torch.asinh(z / r.clamp(min=1e-3))
        waves = torch.cat((eta * self.octaves, 2 * r * self.octaves, 2 * z * self.octaves), dim=1)
        parts = self.network(torch.cat((r, z, eta, 0.1 / (r + 0.05), torch.cos(waves),
                                        torch.sin(waves)), dim=1))
        radii = parts[:, :self.circles]
        angles = points[:, 1:2] * math.pi * self.harmonics
        return torch.cat((radii * torch.cos(angles), radii * torch.sin(angles),
                          parts[:, self.circles:]), dim=1)


def outward(points: Tensor, edges: Tensor) -> Tuple[Tensor, Tensor]:
    """Both ends [e] of each edge [2, e], the one nearer to the origin first."""
    distance = points[:, 0] * points[:, 0] + points[:, 2] * points[:, 2]
    first, second = edges[0], edges[1]
    turned = distance.index_select(0, first) > distance.index_select(0, second)
    return torch.where(turned, second, first), torch.where(turned, first, second)


def edge_geometry(points: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """What a straight line along z and a circle through the beam say about edges [e, 11]; all are
    of order 1. The first two change sign in the mirror image."""
    a, b = points.index_select(0, first), points.index_select(0, second)
    r1, z1, r2, z2 = a[:, 0], a[:, 2], b[:, 0], b[:, 2]
    dphi = (b[:, 1] - a[:, 1]) * math.pi
    dphi = torch.atan2(torch.sin(dphi), torch.cos(dphi))
    dr, dz = r2 - r1, z2 - z1
    half = torch.sin(0.5 * dphi)
    chord = torch.sqrt(dr * dr + 4 * r1 * r2 * half * half + 1e-9)
    curvature = 2 * torch.sin(dphi) / chord
    slope = torch.asinh(dz / chord)
    # Where the line meets the beam; the way along a circle of this curvature is longer than r.
    z0 = z1 - r1 * dz / chord
    eta1, eta2 = torch.asinh(z1 / r1.clamp(min=1e-3)), torch.asinh(z2 / r2.clamp(min=1e-3))
    return torch.stack((torch.asinh(10 * curvature), torch.asinh(50 * dphi), slope, torch.asinh(50 * z0),
                        torch.asinh(20 * (eta2 - eta1)), torch.asinh(10 * (slope - eta1)), 3 * dr,
                        torch.asinh(5 * dz), torch.log(chord * chord + dz * dz) * 0.25,
                        torch.cos(6 * slope), torch.sin(6 * slope)), dim=1)


def point_geometry(points: Tensor) -> Tensor:
    """Where a point lies, whatever its phi [n, 12]."""
    r, z = points[:, 0:1], points[:, 2:3]
    eta = torch.asinh(z / r.clamp(min=1e-3))
    waves = torch.cat((8 * r, 16 * r, 4 * z, 2 * eta), dim=1)
    return torch.cat((2 * r, z, 0.5 * eta, 0.1 / (r + 0.05), torch.cos(waves), torch.sin(waves)),
                     dim=1)


class Filter(nn.Module):
    """points [n, 3], edges int64 [2, e] -> logits [e]; each edge by itself, in any direction."""

    def __init__(self, hidden: int = 64):
        super().__init__()
        self.network = mlp([11 + 24, hidden, hidden, hidden, 1])

    def forward(self, points: Tensor, edges: Tensor) -> Tensor:
        first, second = outward(points, edges)
        geometry = edge_geometry(points, first, second)
        geometry = torch.cat((geometry[:, :2].abs(), geometry[:, 2:]), dim=1)
        at = point_geometry(points)
        return self.network(torch.cat((geometry, at.index_select(0, first),
                                       at.index_select(0, second)), dim=1)).squeeze(1)


class Interaction(nn.Module):
    """One exchange between edges and points: edges see their ends, points sum over their edges,
    those that lead inward and those that lead outward apart, by how much an edge is believed."""

    def __init__(self, hidden: int):
        super().__init__()
        self.of_edge = nn.Linear(hidden, hidden)
        self.of_first = nn.Linear(hidden, hidden, bias=False)
        self.of_second = nn.Linear(hidden, hidden, bias=False)
        self.edge_norm = nn.LayerNorm(hidden)
        self.edge_out = nn.Linear(hidden, hidden)
        self.belief = nn.Linear(hidden, 1)
        self.message = nn.Linear(hidden, hidden)
        self.of_point = mlp([3 * hidden, hidden, hidden], norm=True)

    def forward(self, x: Tensor, e: Tensor, first: Tensor, second: Tensor) -> Tuple[Tensor, Tensor]:
        # Linear over a concatenation, taken apart: what is a point's is computed once per point.
        mixed = (self.of_edge(e) + self.of_first(x).index_select(0, first) +
                 self.of_second(x).index_select(0, second))
        e = e + self.edge_out(torch.nn.functional.silu(self.edge_norm(mixed)))
        message = self.message(e) * torch.sigmoid(self.belief(e))
        nothing = torch.zeros_like(x)
        inward = nothing.index_add(0, second, message)
        out = nothing.index_add(0, first, message)
        return x + self.of_point(torch.cat((x, inward, out), dim=1)), e


class EdgeClassifier(nn.Module):
    """Interaction network: points [n, 3], edges int64 [2, e] -> logits [e]. An edge may be given in
    any direction; each pair of points once."""

    def __init__(self, hidden: int = 32, iterations: int = 6):
        super().__init__()
        self.of_points = mlp([12, hidden, hidden])
        self.of_edges = mlp([11, hidden, hidden])
        self.interactions = nn.ModuleList([Interaction(hidden) for _ in range(iterations)])
        self.score = mlp([hidden, hidden, 1])

    def forward(self, points: Tensor, edges: Tensor) -> Tensor:
        first, second = outward(points, edges)
        x = self.of_points(point_geometry(points))
        e = self.of_edges(edge_geometry(points, first, second))
        for interaction in self.interactions:
            x, e = interaction(x, e, first, second)
        return self.score(e).squeeze(1)
