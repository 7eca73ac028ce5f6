"""Keys that nobody reads, where, and which key does their work.

A new key that only some configs read gets an entry here, for example::

    IdleKeys("reidar.model.colour_width", is_one("reidar.model.colour", "none"), "set reidar.model.colour"),

and a row in ``tests/launch/test_idle_table.py``. ``docs/configuration.md`` shows the table; a test compares the two, and its
message has the rows as they must be. The first entry that matches a key and holds speaks for it. A new loss term needs no
entry: its weight and its options are idle wherever ``reidar.loss.terms`` does not name it.

Only what the config itself decides stands here. ``test.evaluate`` decides nothing: the same file serves training and test.
Models and losses that a user adds may read any key, so that nothing is said of theirs.
"""

from yacs.config import CfgNode

from reidar_plugin.config import JOINT
from reidar_plugin.launch.idle_rules import IdleKeys, Where, both, is_not, is_one
from reidar_plugin.losses.terms import TERMS
from reidar_plugin.plugin import registration

__all__ = ["IDLE_KEYS"]

_METRIC_TERMS = (
    *("ranked_list", "identity_centre", "triplet", "soft_mining"),
    *("weighted_regularisation", "pose_motion"),
)
_ACTION_CENTRES = ("action_centre", "discriminative_centroids")
_PEOPLE_SAMPLERS = ("RandomIdentitySampler", "identity_pass", "balanced_identity")


def _ours(where: Where) -> Where:
    """The condition, for the plugin's own models."""

    def holds(cfg: CfgNode, name: str) -> bool:
        return registration.is_own_model(cfg.model.name) and where.holds(cfg, name)

    return Where(where.text, ("model.name", *where.decided_by), holds)


def _joint(where: Where) -> Where:
    """The condition, for the joint loss."""

    def holds(cfg: CfgNode, name: str) -> bool:
        return cfg.loss.name == JOINT and where.holds(cfg, name)

    return Where(where.text, ("loss.name", *where.decided_by), holds)


def _without(*terms: str) -> Where:
    """Where the objective has none of these terms."""

    def holds(cfg: CfgNode, name: str) -> bool:
        return not {*terms} & {*cfg.reidar.loss.terms}

    only, *others = terms
    text = f"names neither {' nor '.join(terms)}" if others else f"does not name {only}"
    return _joint(Where(f"reidar.loss.terms {text}", ("reidar.loss.terms",), holds))


def _term_is_left_out(cfg: CfgNode, term: str) -> bool:
    return term in TERMS and term not in cfg.reidar.loss.terms


def _one_sided(cfg: CfgNode, name: str) -> bool:
    groups = {TERMS[term].group for term in cfg.reidar.loss.terms if term in TERMS}
    return not {"identity", "action"} <= groups


def _is_hosts(cfg: CfgNode, name: str) -> bool:
    return not registration.is_own_model(cfg.model.name) and not registration.is_user_model(cfg.model.name)


def _no_picture_set(dataset: str) -> Where:
    """Where that picture data set of the host is neither trained nor tested on."""

    def holds(cfg: CfgNode, name: str) -> bool:
        return cfg.data.type != "image" or dataset not in [*cfg.data.sources, *cfg.data.targets]

    keys = ("data.type", "data.sources", "data.targets")
    return Where(f"{dataset} is no picture set of data.sources or data.targets", keys, holds)


def _other_sampler(*samplers: str) -> Where:
    """Where no sampler that runs is one of these; the host may sample the targets as well."""

    def holds(cfg: CfgNode, name: str) -> bool:
        targets = cfg.data.type == "image" and cfg.data.load_train_targets
        running = {cfg.sampler.train_sampler} | ({cfg.sampler.train_sampler_t} if targets else set())
        return not running & {*samplers}

    keys = ("sampler.train_sampler", "sampler.train_sampler_t")
    return Where(is_not(keys[0], *samplers).text, keys, holds)


def _no_test_while_training(cfg: CfgNode, name: str) -> bool:
    return cfg.test.eval_freq <= 0


def _host_fetches_weights(cfg: CfgNode, name: str) -> bool:
    backbone = cfg.reidar.model.asanet.backbone if cfg.model.name == "asanet" else cfg.model.name
    return not cfg.reidar.model.weights and not backbone.endswith("resnet50_ibn_a")


_JOINT_LOSS = is_one("loss.name", JOINT)
_HOST_SCHEDULE = _joint(is_one("reidar.train.schedule", "host"))
_PAPER_SCHEDULE = both(_JOINT_LOSS, is_one("reidar.train.schedule", "paper"))
_ASANET, _NOT_ASANET = _ours(is_one("model.name", "asanet")), _ours(is_not("model.name", "asanet"))
_RESUMED = Where("model.resume names a checkpoint", ("model.resume",), lambda cfg, _: bool(cfg.model.resume))
_NO_ACTIONS = _ours(_joint(is_one("reidar.model.num_actions", 0)))

#: The table, from the general to the particular.
IDLE_KEYS: tuple[IdleKeys, ...] = (
    # whole groups
    IdleKeys(
        "reidar.data.* reidar.loss.* reidar.train.* reidar.test.* reidar.model.num_actions reidar.model.action_*",
        is_one("loss.name", "softmax", "triplet"),
        "set loss.name reidar",
    ),
    IdleKeys(
        "reidar.model.*",
        Where("model.name is a model of torchreid", ("model.name",), _is_hosts),
        "set model.name asanet, or to a name that starts with reidar_",
    ),
    IdleKeys("video.*", is_one("data.type", "image"), "set data.type video"),
    # losses
    IdleKeys("loss.softmax.*", _JOINT_LOSS, "set reidar.loss.smoothed_cross_entropy.epsilon"),
    IdleKeys("loss.triplet.*", _JOINT_LOSS, "set reidar.loss.weights.triplet and reidar.loss.triplet"),
    IdleKeys("loss.triplet.*", is_one("loss.name", "softmax"), "set loss.name triplet"),
    IdleKeys(
        "reidar.loss.weights.<term> reidar.loss.<term>.*",
        _joint(Where("reidar.loss.terms does not name <term>", ("reidar.loss.terms",), _term_is_left_out)),
        "name it in reidar.loss.terms",
    ),
    IdleKeys(
        "reidar.loss.pose_motion.end_weight reidar.loss.pose_motion.rise_below",
        _without("attributes"),
        "set reidar.loss.weights.pose_motion, or name attributes in reidar.loss.terms",
    ),
    IdleKeys(
        "reidar.loss.balance reidar.loss.combine reidar.loss.ramp.* reidar.loss.uncertainty.* reidar.loss.diagnose",
        _joint(
            Where(
                "reidar.loss.terms judges people alone or actions alone", ("reidar.loss.terms",), _one_sided
            )
        ),
        "set reidar.loss.weights",
    ),
    IdleKeys(
        "reidar.loss.balance",
        _joint(is_not("reidar.loss.combine", "balance", "ramp")),
        "set reidar.loss.combine balance or ramp",
    ),
    IdleKeys(
        "reidar.loss.ramp.*", _joint(is_not("reidar.loss.combine", "ramp")), "set reidar.loss.combine ramp"
    ),
    IdleKeys(
        "reidar.loss.uncertainty.*",
        _joint(is_not("reidar.loss.combine", "uncertainty")),
        "set reidar.loss.combine uncertainty",
    ),
    IdleKeys(
        "reidar.loss.embedding",
        _without(*_METRIC_TERMS),
        "name a metric loss in reidar.loss.terms, such as triplet",
    ),
    IdleKeys("reidar.train.identity_centre_lr", _without("identity_centre"), "name it in reidar.loss.terms"),
    IdleKeys(
        "reidar.train.action_centre_lr",
        _without(*_ACTION_CENTRES),
        "name action_centre or discriminative_centroids in reidar.loss.terms",
    ),
    # optimiser and schedule
    IdleKeys(
        "train.lr_scheduler train.stepsize train.gamma",
        _PAPER_SCHEDULE,
        "set reidar.train.milestones and reidar.train.gamma, or reidar.train.schedule host",
    ),
    IdleKeys(
        "reidar.train.warmup reidar.train.warmup_start reidar.train.milestones reidar.train.gamma",
        _HOST_SCHEDULE,
        "set train.lr_scheduler, train.stepsize and train.gamma, or reidar.train.schedule paper",
    ),
    IdleKeys("reidar.train.warmup_start", is_one("reidar.train.warmup", 0), "set reidar.train.warmup"),
    IdleKeys("reidar.train.gamma", is_one("reidar.train.milestones", []), "set reidar.train.milestones"),
    IdleKeys(
        "train.stepsize train.gamma",
        is_one("train.lr_scheduler", "cosine"),
        "set train.lr_scheduler single_step or multi_step",
    ),
    IdleKeys("adam.*", is_not("train.optim", "adam", "amsgrad", "radam"), "set train.optim"),
    IdleKeys("sgd.momentum", is_not("train.optim", "sgd", "rmsprop"), "set train.optim"),
    IdleKeys("sgd.dampening sgd.nesterov", is_not("train.optim", "sgd"), "set train.optim sgd"),
    IdleKeys("rmsprop.*", is_not("train.optim", "rmsprop"), "set train.optim rmsprop"),
    IdleKeys(
        "train.new_layers train.base_lr_mult", is_one("train.staged_lr", False), "set train.staged_lr True"
    ),
    IdleKeys("train.open_layers", is_one("train.fixbase_epoch", 0), "set train.fixbase_epoch"),
    # data
    IdleKeys("data.transforms", _JOINT_LOSS, "set reidar.data.flip, shift, pad and erase"),
    IdleKeys("video.sample_method", _JOINT_LOSS, "set reidar.data.train_clips and reidar.data.test_clips"),
    IdleKeys("video.pooling_method", _JOINT_LOSS, "set reidar.model.pooling"),
    IdleKeys(
        "video.pooling_method",
        is_one("loss.name", "triplet"),
        "leave it out: torchreid's triplet engine takes the mean",
    ),
    IdleKeys(
        "data.k_tfm data.load_train_targets sampler.train_sampler_t",
        is_one("data.type", "video"),
        "leave it out: torchreid reads it for pictures alone",
    ),
    IdleKeys(
        "sampler.train_sampler_t",
        is_one("data.load_train_targets", False),
        "set data.load_train_targets True",
    ),
    IdleKeys("market1501.*", _no_picture_set("market1501"), "name it there, with data.type image"),
    IdleKeys(
        "cuhk03.labeled_images cuhk03.classic_split",
        _no_picture_set("cuhk03"),
        "name it there, with data.type image",
    ),
    IdleKeys(
        "sampler.num_instances", _other_sampler(*_PEOPLE_SAMPLERS), "set sampler.train_sampler to one of them"
    ),
    IdleKeys("sampler.num_cams", _other_sampler("RandomDomainSampler"), "set sampler.train_sampler to it"),
    IdleKeys(
        "sampler.num_datasets", _other_sampler("RandomDatasetSampler"), "set sampler.train_sampler to it"
    ),
    IdleKeys(
        "reidar.data.balance_power",
        is_not("sampler.train_sampler", "balanced_identity"),
        "set sampler.train_sampler to it",
    ),
    IdleKeys("reidar.data.pad", is_one("reidar.data.shift", "none"), "set reidar.data.shift"),
    IdleKeys("reidar.data.erase_*", is_one("reidar.data.erase", 0), "set reidar.data.erase"),
    IdleKeys("reidar.data.start_method", is_one("data.workers", 0), "set data.workers", "note"),
    IdleKeys("reidar.labels.attributes", _joint(_NOT_ASANET), "set model.name asanet"),
    # model
    IdleKeys("reidar.model.pooling reidar.model.attention_*", _ASANET, "set reidar.model.asanet.pooling"),
    IdleKeys("reidar.model.asanet.*", _NOT_ASANET, "set model.name asanet"),
    IdleKeys(
        "reidar.model.asanet.mask",
        _ours(is_one("reidar.model.asanet.salience", False)),
        "set reidar.model.asanet.salience True",
    ),
    IdleKeys(
        "reidar.model.attention_*",
        _ours(is_one("reidar.model.pooling", "mean", "max", "gem", "peak")),
        "set reidar.model.pooling attention or light",
    ),
    IdleKeys(
        "reidar.model.action_* reidar.test.thresholds reidar.test.action_weight",
        _NO_ACTIONS,
        "set reidar.model.num_actions -1",
    ),
    IdleKeys(
        "reidar.model.action_layers reidar.model.action_pooling",
        _ours(_joint(is_one("reidar.model.action_source", "feature"))),
        "name a stage of the backbone in reidar.model.action_source",
    ),
    IdleKeys(
        "reidar.model.weights reidar.model.sha256 reidar.model.fetch",
        _ours(is_one("model.pretrained", False)),
        "set model.pretrained True",
    ),
    IdleKeys(
        "reidar.model.sha256",
        _ours(
            Where(
                "torchreid fetches its own weights",
                ("model.name", "reidar.model.weights", "reidar.model.asanet.backbone"),
                _host_fetches_weights,
            )
        ),
        "name a file in reidar.model.weights",
    ),
    IdleKeys("model.load_weights", _RESUMED, "leave one out: model.resume brings all weights"),
    # test
    IdleKeys("cuhk03.use_metric_cuhk03", _JOINT_LOSS, "leave it out: it is a protocol of CUHK03's pictures"),
    IdleKeys(
        "test.start_eval",
        Where("test.eval_freq asks for no test while training", ("test.eval_freq",), _no_test_while_training),
        "set test.eval_freq",
    ),
    IdleKeys("reidar.test.rerank.*", is_one("test.rerank", False), "set test.rerank True", "note"),
    IdleKeys(
        "test.visrank_topk reidar.test.pictures",
        is_one("test.visrank", False),
        "set test.visrank True and test.evaluate True",
        "note",
    ),
)
