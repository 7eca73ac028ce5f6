"""The ``reidar`` node of a torchreid config: every key of the plugin, its default and where the number comes from.

One function a group of keys. Host keys are used where the host has one (``video.seq_len``, ``train.lr``, ``sampler.*``,
``test.*``, ...); the node holds only what torchreid has no word for.
"""

from yacs.config import CfgNode as CN

__all__ = ["JOINT", "add_reidar_config", "reidar_node"]

#: The value of ``loss.name`` that selects the joint engine.
JOINT = "reidar"


def add_reidar_config(cfg: CN) -> CN:
    """Declare the plugin's keys in a host config, in place; a node that is there already is left as it is.

    Args:
        cfg: what the host's ``get_default_config()`` returned.

    Returns:
        The same ``cfg``.
    """
    if "reidar" not in cfg:
        cfg.reidar = reidar_node()
    return cfg


def reidar_node() -> CN:
    """A fresh ``reidar`` node with every default."""
    node = CN()
    node.labels = _labels()
    node.data = _data()
    node.model = _model()
    node.loss = _loss()
    node.train = _train()
    node.test = _test()
    return node


def _labels() -> CN:
    node = CN()
    # which actions: actions8, actions5 or actions3 (Re-ID-AR, section 4), or any name for `names` of your own
    node.space = "actions8"
    # the actions of a space of your own, in order; "carrying=item_one_hand|trolley" merges finer ones into one
    node.names = []
    # label files by data set, "mars_actions=labels.csv"; without one, actions.csv in the folder of the data set.
    # "<name>_actions=..." for a video data set <name> of the host adds that data set with labels
    node.files = []
    # whether mars_actions, lpw_actions and synthped stop where there is no label file (else: actions unknown)
    node.required = True
    # attribute groups to read, in order: columns of MARS' published table, pose, motion (ASA-Net), or
    # "shirt=red|green" of your own ("~mood=glad|sad" where it is of the moment, not of the person)
    node.attributes = []
    # tables of attributes by data set; without one, attributes.csv in the folder of the data set
    node.attribute_files = []
    return node


def _data() -> CN:
    node = CN()
    # Host keys serve too: data.height and width (papers: 224 x 112), video.seq_len (papers: 4),
    # train.batch_size, sampler.num_instances, sampler.train_sampler (also identity_pass, the released code's,
    # and balanced_identity); test.batch_size counts clips. video.sample_method and data.transforms are for the
    # host's own engines.

    # training clips: parts (one frame of each of T equal parts: the papers), released_parts, consecutive
    # (VPRFT), random, constrained (AGW, ASA-Net), strided (every 8th: AP3D); docs/clips.md
    node.train_clips = "parts"
    # test clips: consecutive (all frames: the papers), interleaved (AGW), first_of_parts
    node.test_clips = "consecutive"
    # frames in a clip at test, 0 for video.seq_len (AP3D: 32)
    node.test_length = 0
    # at most so many clips a tracklet at test, 0 for all (released code: 41; AGW: 50)
    node.test_max_clips = 0
    # probability to swap left and right (all papers)
    node.flip = 0.5
    # crop (pad, then crop: most papers), translation (pad, then enlarge by 1.125 and crop: VPRFT) or none
    node.shift = "crop"
    # black pixels on each side before the crop (all papers)
    node.pad = 10
    # probability of random erasing; share of the frame and height over width of the rectangle (all papers)
    node.erase = 0.5
    node.erase_area = [0.02, 0.4]
    node.erase_ratio = [0.3, 1 / 0.3]
    # what is written there, after normalisation (released code and VPRFT); [0., 0., 0.] is the mean colour
    node.erase_fill = [0.485, 0.456, 0.406]
    # rectangles tried until one fits (released code: 1)
    node.erase_attempts = 10
    # erasing passes; the erasing loss is told of the last one (VPRFT: 2)
    node.erase_passes = 1
    # do the same to all frames of a clip (papers: each frame for itself)
    node.per_clip = False
    # how frames are brought to size: cubic (papers), linear or area
    node.interpolation = "cubic"
    # a picture that cannot be read: stop, or skip (take its neighbour in the tracklet, and count)
    node.on_broken = "stop"
    # balanced_identity: people are drawn with probability n^-q, n people having their rarest action
    node.balance_power = 0.5
    # how workers start: fork, spawn or forkserver; empty for what the platform does
    node.start_method = ""
    return node


def _model() -> CN:
    node = CN()
    # how the frames of a clip become one feature: attention (the papers'), light, mean, max, gem or peak (AP3D)
    node.pooling = "attention"
    # channels between the two convolutions of the attention (VPRFT, S2DN and Re-ID-AR: 256)
    node.attention_width = 256
    # a ReLU on the scores before their softmax (the papers' code); attention that it cuts everywhere learns no more
    node.attention_relu = True
    # stride of the last stage, where the backbone has one to change (papers: 1; 2 leaves it as torchreid or timm builds it)
    node.last_stride = 1
    # action blocks: -1 one for each action of the label space (Re-ID-AR), 0 none (S2DN, VPRFT), or a number
    node.num_actions = -1
    # features inside an action block (Re-ID-AR: 512)
    node.action_width = 512
    # dropout inside an action block (released code: 0.25; the paper gives no number)
    node.action_dropout = 0.25
    # relu (Re-ID-AR, the paper) or leaky_relu (slope 0.1, the released code)
    node.action_activation = "relu"
    # what the action network reads: "feature", the clip feature after the neck (Re-ID-AR), the maps of a stage of the
    # backbone by its name (layer1 ... layer4 of a ResNet, conv2 ... conv5 of an OSNet, ...), or "frames", docs/models.md
    node.action_source = "feature"
    # whether actions train the backbone; False: the action network reads what identities alone have made
    node.action_gradient = True
    # of an action network that reads a stage or frames: widths of 3 x 3 convolutions of its own before its attention,
    # where one that is wider than what it reads halves height and width
    node.action_layers = []
    # likewise: "clip" pools the features of a clip by attention; mean, max, log_sum_exp, noisy_or and attention judge
    # every frame and pool the logits
    node.action_pooling = "clip"
    # with model.pretrained: a file of ImageNet weights for the backbone; empty for the published ones
    # (resnet50_ibn_a: the file that Re-ID-AR and S2DN start from), torchreid's own or timm's (all others)
    node.weights = ""
    # SHA-256 that this file must have; empty for none
    node.sha256 = ""
    # False: nothing is downloaded, as with REIDAR_OFFLINE or HF_HUB_OFFLINE set; what is in a cache is used
    node.fetch = True
    # model.name asanet; neck, classifier and action network are those above, pooling and attention_* are not read
    node.asanet = CN()
    node.asanet.backbone = "resnet50"  # ASA-Net, section IV-B; any ResNet of the host
    node.asanet.fusion = "b"  # a, b (figure 5) or none (Table IV)
    # whose identity features are fused (Table IV)
    node.asanet.branches = ["relevant", "identity", "irrelevant"]
    node.asanet.salience = True  # False: without ASRE (Table V)
    node.asanet.mask = "linear"  # as equation 9 prints it; "sigmoid" keeps it in 0..1
    node.asanet.pooling = "mean"  # over space and time; the paper does not say which, AGW has "gem"
    # after the FC layer of a branch: fusion b is 512 wide then, as AGW's feature
    node.asanet.branch_width = 128
    # "pooled": C/2 wide, as equation 3 computes it; "projected": C/4 wide, as is written beside it
    node.asanet.attribute_feature = "pooled"
    return node


def _loss() -> CN:
    # docs/losses.md has every formula; a term is called as its file in losses/
    node = CN()
    node.terms = [  # equations 1 and 5 of Re-ID-AR; Not 3D Re-ID: the first four
        "smoothed_cross_entropy",
        "ranked_list",
        "identity_centre",
        "erasing",
        "weighted_binary_cross_entropy",
        "action_centre",
    ]
    # "balance" is equation 6 of Re-ID-AR; "sum" adds plainly, as the released code; "uncertainty" learns the weights of
    # the two sides (Kendall et al.); "ramp" is "balance" with an action side that comes later
    node.combine = "balance"
    node.balance = 0.5  # lambda of equation 6, share of the identity side; the paper's 0.5
    node.uncertainty = CN()
    node.uncertainty.lr = 0.01  # SGD on the log variances of the sides
    node.ramp = CN()
    node.ramp.start = 0  # epochs without the action side
    node.ramp.epochs = 5  # epochs in which its weight then grows to what balance says
    # every so many steps, log norm and cosine of the two sides' gradients on the backbone; 0 for never (costs two
    # backward passes when it is done)
    node.diagnose = 0
    # metric losses compare the feature after the BN neck (Re-ID-AR, S2DN, VPRFT); "pooled": before it (AGW)
    node.embedding = "feature"
    node.weights = CN()
    node.weights.smoothed_cross_entropy = 1.0
    node.weights.ranked_list = 1.0  # Re-ID-AR, equation 1; the released code it descends from takes 0.4
    node.weights.identity_centre = 0.0005  # beta of Re-ID-AR; Not 3D Re-ID prints 0.00005
    node.weights.erasing = 1.0
    node.weights.triplet = 1.0  # VPRFT: 1 - b
    node.weights.soft_mining = 1.0  # VPRFT: b, 1.0 on MARS
    node.weights.weighted_regularisation = 1.0  # ASA-Net, equation 19
    node.weights.pose_motion = 0.005  # ASA-Net, at first; see pose_motion.end_weight
    node.weights.binary_cross_entropy = 1.0
    node.weights.weighted_binary_cross_entropy = 1.0  # Re-ID-AR, equation 5
    node.weights.action_centre = 0.0005  # beta of Re-ID-AR, equation 5
    node.weights.class_balanced = 1.0
    node.weights.focal = 1.0
    node.weights.asymmetric = 1.0
    node.weights.distribution_balanced = 1.0
    node.weights.discriminative_centroids = 0.01  # feature_loss_weight of the official code of OLTR
    node.weights.logit_adjustment = 1.0
    node.weights.attributes = 1.5  # ASA-Net prints "centre, BCE: 1.5 and 0.0005", taken for a swap
    node.smoothed_cross_entropy = CN()
    node.smoothed_cross_entropy.epsilon = 0.1  # Re-ID-AR, section 5.1
    # "batch": epsilon over the batch size, a slip of the released code
    node.smoothed_cross_entropy.spread = "classes"
    node.ranked_list = CN()
    node.ranked_list.margin = 1.3  # m; MARS and iLIDS-VID 1.3, PRID2011 0.04 (Not 3D Re-ID, section IV-B)
    node.ranked_list.alpha = 2.0  # Re-ID-AR, section 5.1
    node.ranked_list.temperature = 1.0  # T; only in the released code
    # the supplement's 1 - lambda; no paper gives lambda, the released code adds plainly
    node.ranked_list.positive_weight = 1.0
    node.ranked_list.negative_weight = 1.0  # the supplement's lambda
    # mean over positives that cost (S2DN, equation 8); "all": as released
    node.ranked_list.positives = "non-trivial"
    node.ranked_list.normalise = True  # features at length 1, as released
    node.identity_centre = CN()
    # what the weight 0.0005 was found for (Luo et al.); "half_sum": as printed
    node.identity_centre.reduction = "mean"
    node.erasing = CN()
    # mean after the softmax (S2DN, equation 12); "scores": sum before it, as released
    node.erasing.form = "attention"
    node.triplet = CN()
    node.triplet.margin = 0.3  # bag of tricks (Luo et al.)
    node.triplet.metric = "euclidean"  # VPRFT: "cosine"
    node.soft_mining = CN()  # published for MARS in the code of VPRFT (config 59)
    node.soft_mining.sigma = 0.9047814732165316
    node.soft_mining.alpha = 2.8436551583293728
    node.soft_mining.balance = 0.5873389293193368
    node.soft_mining.vectors = "classifier"  # "centres": VPRFT's CL Centers
    node.weighted_regularisation = CN()
    # True: a clip is its own positive, as in the code of AGW
    node.weighted_regularisation.include_anchor = False
    node.weighted_regularisation.normalise = False  # AGW
    node.pose_motion = CN()
    node.pose_motion.margin = 0.0  # ASA-Net, equation 12
    node.pose_motion.include_anchor = False  # ASA-Net, equation 11; True: as in the code of AITL
    # ASA-Net: the weight once the attribute loss has been below rise_below
    node.pose_motion.end_weight = 0.01
    node.pose_motion.rise_below = 0.15
    node.weighted_binary_cross_entropy = CN()
    # Re-ID-AR, equation 4; "reciprocal": 1 / count, a slip as released
    node.weighted_binary_cross_entropy.ratios = "share"
    node.weighted_binary_cross_entropy.double_sigmoid = False  # True: a slip as released
    # over the actions: "sum" as in the paper, where the weight of the actions grows with M, or "mean"
    node.weighted_binary_cross_entropy.reduction = "sum"
    node.action_centre = CN()
    node.action_centre.form = "blocks"  # 3C-Net's, on the block of each action; "summed": as released
    node.class_balanced = CN()
    node.class_balanced.beta = 0.9999  # Cui et al.; declared in the released code
    node.class_balanced.gamma = 2.0
    node.focal = CN()
    node.focal.alpha = 0.25  # Lin et al.
    node.focal.gamma = 2.0
    node.asymmetric = CN()  # Ben-Baruch et al.
    node.asymmetric.gamma_positive = 0.0
    node.asymmetric.gamma_negative = 4.0
    node.asymmetric.clip = 0.05
    node.distribution_balanced = CN()  # Wu et al., COCO-MLT
    node.distribution_balanced.floor = 0.1
    node.distribution_balanced.slope = 10.0
    node.distribution_balanced.middle = 0.2
    node.distribution_balanced.bias = 0.05
    node.distribution_balanced.tolerance = 2.0
    node.distribution_balanced.gamma = 2.0
    node.distribution_balanced.scale = 2.0
    node.discriminative_centroids = CN()  # official code of OLTR
    node.discriminative_centroids.margin = 10.0
    node.discriminative_centroids.repel_weight = 0.01
    node.discriminative_centroids.average = True
    node.logit_adjustment = CN()
    node.logit_adjustment.tau = 1.0  # Menon et al.
    # samples added to those that show an action, and to those that do not; with 0. every action must be in some training
    # samples and not in all
    node.logit_adjustment.smoothing = 0.0
    node.attributes = CN()
    node.attributes.by_attribute = False  # True: every attribute counts the same, however many values it has
    node.attributes.positive_only = False  # True: the half that ASA-Net prints (equation 18)
    return node


def _train() -> CN:
    # Host keys serve too: train.optim, train.lr (papers: adam, 0.00035), train.max_epoch (papers: 120),
    # train.batch_size, train.weight_decay, train.print_freq, test.eval_freq (papers: 10), ...
    node = CN()
    # paper (warm-up, then steps down: all papers) or host (train.lr_scheduler, train.stepsize, train.gamma)
    node.schedule = "paper"
    # epochs until the full learning rate (Re-ID-AR, S2DN, VPRFT: 10); 0 for no warm-up
    node.warmup = 10
    # share of the learning rate where the warm-up starts, at epoch 0 (released code and VPRFT: 0.01)
    node.warmup_start = 0.01
    # epochs, from 1, from which on the learning rate is multiplied with gamma (Re-ID-AR, S2DN: 40 and 70)
    node.milestones = [40, 70]
    # that factor (Re-ID-AR, S2DN: 0.1; VPRFT on MARS: 0.3283)
    node.gamma = 0.1
    # SGD on the centres of identities (Re-ID-AR, VPRFT: 0.5) and of actions (Re-ID-AR: 0.1; the released code
    # never steps these: 0.0)
    node.identity_centre_lr = 0.5
    node.action_centre_lr = 0.1
    # of the convolutions, in training and at test: float32, bfloat16 or float16 (with a gradient scaler);
    # heads, softmax, losses and distances are float32 whatever it is
    node.precision = "float32"
    # greatest norm of the model's gradient; 0. for any (papers: none)
    node.clip = 0.0
    # keep maps with their channels innermost, which is faster on GPUs and CPUs; sums then run in another order
    node.channels_last = True
    # the same bits at every run on a GPU too: cuDNN chooses without trying, torch takes its deterministic kernels and warns
    # of any operation that has none; slower. On a CPU runs repeat to the bit without it
    node.deterministic = False
    # torch.compile on the model
    node.compile = False
    # auto goes on from the newest checkpoint of data.save_dir; off stops where there is one
    node.resume = "auto"
    # also save every so many steps inside an epoch; 0 for never
    node.save_every = 0
    # how many of the last checkpoints stay, 0 for all; the best one always stays
    node.keep = 2
    # figure by which the best checkpoint is chosen: mAP, mINP or rank-<k>, "@<protocol>" after it to name the
    # protocol, such as rank-1@no-distractors; else it is the first one of the first target
    node.best = "mAP"
    # share of the training people who are left out of training and choose the best checkpoint, as a target of
    # their own that comes first; 0. for none: the test set chooses, as in all papers, and that is optimistic
    node.held_out = 0.0
    return node


def _test() -> CN:
    # The host's own keys say what is tested: test.dist_metric, normalize_feature, ranks, rerank, visrank.
    node = CN()
    node.rerank = CN()  # k-reciprocal re-ranking, on with test.rerank; figures of Zhong et al., CVPR 2017
    node.rerank.k1 = 20  # neighbours that make a set
    node.rerank.k2 = 6  # neighbours over which the sets are averaged
    node.rerank.lambda_value = 0.3  # weight of the original distance
    node.interval_level = 0.95  # level of the bootstrap intervals over queries
    node.resamples = 10000  # how often the queries are drawn anew for an interval
    node.thresholds = "half"  # of actions: "half" is 0.5, as in Re-ID-AR; "train" the best F1 in training
    # also test distances that count how differently two tracklets act, with this weight beside the cosine distance of
    # identity features (metrics/action_evidence.py); 0. for no such test
    node.action_weight = 0.0
    node.pictures = 8  # queries shown by test.visrank; the host shows all of them, which MARS has 1,980 of
    return node
