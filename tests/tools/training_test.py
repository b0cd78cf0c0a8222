#!/usr/bin/env python3
"""Reads small events and pairs their hits as training does. Needs numpy, and skips without."""
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import numpy as np
except ModuleNotFoundError:
    print("skipped: numpy is not there (Debian: python3-numpy)")
    sys.exit(77)

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))
from eventfarm_train import events, pairs  # noqa: E402

BIG_ID = 2**62 + 1  # a double cannot tell it from 2**62

HITS = """hit_id,x,y,z,volume_id,layer_id,module_id
1,0,32,10,8,2,1
2,0,-72,20,8,4,1
3,0,72,20,8,4,1
4,500,0,-7,8,4,1
5,0,116,30,8,6,1
"""
TRUTH = f"""hit_id,particle_id,tx,ty,tz,tpx,tpy,tpz,weight
1,{BIG_ID},0,32,10,0,1,0,0
2,{BIG_ID - 1},0,-72,20,0,1,0,0
3,{BIG_ID},0,72,20,0,1,0,0
4,0,500,0,-7,0,1,0,0
5,{BIG_ID},0,116,30,0,1,0,0
"""
PARTICLES = f"""particle_id,vx,vy,vz,px,py,pz,q,nhits
{BIG_ID},0,200,0,0.6,0.8,0,1,3
{BIG_ID - 1},0,0,0,3,4,0,1,1
"""


class SmallEvent(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.prefix = Path(folder.name) / "event000000001"
        self.write(hits=HITS, truth=TRUTH, particles=PARTICLES)

    def write(self, **files):
        for name, text in files.items():
            Path(f"{self.prefix}-{name}.csv").write_text(text, encoding="ascii")

    def read(self):
        return events.read_event(self.prefix)

    def test_points_are_in_metres_and_pi(self):
        np.testing.assert_allclose(self.read().points[1], [0.072, -0.5, 0.02], rtol=1e-6)

    def test_large_ids_stay_apart(self):
        np.testing.assert_array_equal(self.read().particle, [1, 0, 1, events.NOISE, 1])

    def test_hits_of_a_particle_ascend_from_its_vertex(self):
        np.testing.assert_array_equal(self.read().rank[[4, 2, 0]], [0, 1, 2])

    def test_noise_has_no_pt(self):
        np.testing.assert_allclose(self.read().hit_pt(), [1, 5, 1, 0, 1])

    def test_pairs_lead_away_from_the_vertex(self):
        event = self.read()
        np.testing.assert_array_equal(pairs.track_pairs(event, 1, 0.5), [[4, 2], [2, 0]])
        np.testing.assert_array_equal(pairs.track_pairs(event, 2, 0.5), [[4], [0]])
        self.assertEqual(pairs.track_pairs(event, 1, 2.0).shape, (2, 0))

    def test_sector_crosses_the_seam_of_phi(self):
        event = pairs.in_sector(self.read(), 0.9, 0.7)
        np.testing.assert_array_equal(event.particle, [0])

    def test_noise_is_no_particle_of_an_edge(self):
        edges = np.array([[0, 3, 0], [2, 3, 1]])
        np.testing.assert_array_equal(pairs.of_one_particle(self.read(), edges),
                                      [True, False, False])

    def test_edges_of_slow_particles_have_no_weight(self):
        label, weight = pairs.edge_weights(self.read(), np.array([[0, 0], [2, 1]]), 1.5)
        np.testing.assert_array_equal(label, [1, 0])
        np.testing.assert_array_equal(weight, [0, 1])

    def test_efficiency_is_for_either_direction(self):
        event = self.read()
        event.hit_count[1] = 5
        self.assertEqual(pairs.edge_efficiency(event, np.array([[0], [2]]), 0.5), 0.5)
        self.assertEqual(pairs.edge_efficiency(event, np.array([[2], [0]]), 0.5), 0.5)

    def test_missing_column_is_named(self):
        self.write(hits=HITS.replace("hit_id,x,y", "hit_id,x,u"))
        with self.assertRaisesRegex(ValueError, "no column 'y'"):
            self.read()

    def test_truth_of_another_event_is_refused(self):
        self.write(truth="\n".join(TRUTH.splitlines()[:-1]))
        with self.assertRaisesRegex(ValueError, "lists other hits"):
            self.read()

    def test_particle_that_is_not_listed_is_refused(self):
        self.write(particles="\n".join(PARTICLES.splitlines()[:-1]))
        with self.assertRaisesRegex(ValueError, f"names particle {BIG_ID - 1}"):
            self.read()


if __name__ == "__main__":
    unittest.main()
