"""A small track finding service for the tests: doublets, and the Exa.TrkX edge classifier."""

CONFIG = """
backend: "tracks"
input [
  { name: "FEATURES" data_type: TYPE_FP32 dims: [ -1, 3 ] },
  { name: "EDGES_WANTED" data_type: TYPE_BOOL dims: [ 1 ] optional: true }
]
output [
  { name: "LABELS" data_type: TYPE_INT64 dims: [ -1 ] },
  { name: "EDGES" data_type: TYPE_INT64 dims: [ 2, -1 ] },
  { name: "SCORES" data_type: TYPE_FP32 dims: [ -1 ] },
  { name: "GRAPH_EDGES" data_type: TYPE_INT32 dims: [ 2, -1 ] },
  { name: "STAGES" data_type: TYPE_FP64 dims: [ 5, 2 ] }
]
"""
PARAMETERS = {"graph": "doublets", "classifier": "classifier.pt", "tracks": "walkthrough"}
# Of FEATURES: the classifier's own units, which the service makes of mm and rad; or those that
# clients send by default, in which the classifier finds less.
MILLIMETRES = {"features": "mm", "scale_r": "3000", "scale_z": "400"}
METRES = {"features": "scaled", "scale_r": "1000", "scale_z": "1000"}


def make(repository, source, units):
    """Puts the model 'tracks' into a folder; `source` is that of the project."""
    version = repository / "tracks" / "1"
    version.mkdir(parents=True)
    (version / "classifier.pt").symlink_to((source / "data/models/gnn/1/model.pt").resolve())
    parameters = [f'parameters {{ key: "farm.tracks.{key}" value {{ string_value: "{value}" }} }}\n'
                  for key, value in (PARAMETERS | units).items()]
    (repository / "tracks" / "config.pbtxt").write_text(CONFIG + "".join(parameters))
    return repository
