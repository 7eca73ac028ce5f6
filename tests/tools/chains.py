"""A config for runs that follow from runs, and what looks into their command lines."""

__all__ = ["TINY", "value"]

#: Sources, targets and seed go in; small enough for seconds.
TINY = """
model: {name: reidar_shufflenet_v2_x0_5, pretrained: False}
data: {type: video, sources: [%s], targets: [%s], height: 32, width: 16, workers: 0}
video: {seq_len: 2}
sampler: {train_sampler: identity_pass, num_instances: 2}
loss: {name: reidar}
train: {batch_size: 4, max_epoch: 1, seed: %d}
test: {batch_size: 8}
reidar:
  labels: {required: False}
  model: {attention_width: 8, action_width: 8}
  test: {resamples: 20}
"""


def value(words: list[str], key: str) -> str:
    """Of a key on the command line of a run."""
    return words[words.index(key) + 1]
