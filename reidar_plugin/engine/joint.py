"""The joint engine: torchreid's ``Engine`` for clips, people and actions."""

import datetime
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.tensorboard import SummaryWriter
from yacs.config import CfgNode

from reidar_plugin.checkpoint.best import BestMetric
from reidar_plugin.checkpoint.compatibility import check_ranks
from reidar_plugin.checkpoint.fingerprint import RunFingerprint
from reidar_plugin.checkpoint.history import RunHistory
from reidar_plugin.checkpoint.manager import CheckpointManager
from reidar_plugin.checkpoint.state import unwrapped
from reidar_plugin.checkpoint.store import Position
from reidar_plugin.data.held_out import hold_out
from reidar_plugin.data.loader import to_device
from reidar_plugin.data.manager import ClipDataManager
from reidar_plugin.data.seeding import seed_network
from reidar_plugin.engine import build, reporting
from reidar_plugin.engine.evaluator import Evaluator, TestOutcome, check_answerable
from reidar_plugin.engine.interrupt import Interrupts
from reidar_plugin.engine.options import EvaluationOptions, TestOptions, TrainingOptions, check_test
from reidar_plugin.engine.pictures import draw_test
from reidar_plugin.engine.schedule import WarmupSteps
from reidar_plugin.engine.train_log import TrainLog
from reidar_plugin.engine.train_step import TrainStep, centre_optimizers
from reidar_plugin.errors import ConfigError
from reidar_plugin.host import reid
from reidar_plugin.inference.features import report_replaced
from reidar_plugin.inference.precision import Precision
from reidar_plugin.io.console import say
from reidar_plugin.losses.objective import Objective
from reidar_plugin.ranks.collectives import check_same, copy_from_first
from reidar_plugin.ranks.job import current
from reidar_plugin.report.figures.style import check_report_libraries
from reidar_plugin.report.results import Results
from reidar_plugin.structures import ClipBatch, Targets

__all__ = ["JointEngine"]


class JointEngine(reid.engine.Engine):
    """Trains and tests a joint model on the clips of a :class:`~reidar_plugin.data.manager.ClipDataManager`.

    ``run``, ``train``, ``test``, ``save_model``, ``register_model`` and the writer are the host's in name, arguments and
    meaning. What is added: checkpoints from which training goes on exactly (docs/training.md), the best one kept
    apart, results.json, and a stop at the first loss that is not finite.

    Args:
        datamanager: gives the loaders, the augmentation and the label space.
        model: returns :class:`~reidar_plugin.structures.JointOutput`; a ``DataParallel`` around it is taken off, since
            many GPUs are used by as many ranks (docs/clusters.md).
        optimizer: optimiser of the model.
        objective: what is minimised; its centres get optimisers of their own.
        scheduler: learning rate schedule of ``optimizer``, stepped after each epoch; None for none.
        use_gpu: train on CUDA where there is any.
        training_options: how to train; the defaults if None.
        evaluation_options: how to test; the defaults if None.
        fingerprint: what a checkpoint must agree with; the model's class and the number of people if None.
        config: the config of the run, kept in checkpoints and results; None for none.
        resume_from: ``model.resume``: its model and optimiser have been loaded, and the rest is loaded here.
        weights_from: ``model.load_weights``: these weights have been loaded, and are checked before a test.
    """

    datamanager: ClipDataManager
    writer: SummaryWriter | None

    def __init__(
        self,
        datamanager: ClipDataManager,
        model: nn.Module,
        optimizer: Optimizer,
        objective: Objective,
        *,
        scheduler: Any = None,
        use_gpu: bool = True,
        training_options: TrainingOptions | None = None,
        evaluation_options: EvaluationOptions | None = None,
        fingerprint: RunFingerprint | None = None,
        config: CfgNode | None = None,
        resume_from: str = "",
        weights_from: str = "",
    ) -> None:
        super().__init__(datamanager, use_gpu)
        options = self.options = training_options or TrainingOptions()
        self.config, self.resume_from, self.weights_from = config, resume_from, weights_from
        self.job, self.device = current(), torch.device("cuda" if self.use_gpu else "cpu")
        build.check_devices(self.job, self.use_gpu)
        layout = torch.channels_last if options.channels_last else torch.contiguous_format
        self.model = unwrapped(model).to(self.device).to(memory_format=layout)
        self.optimizer, self.scheduler = optimizer, scheduler
        self.objective = objective.to(self.device)
        self.register_model("model", self.model, optimizer, scheduler)

        # The parts of the engine
        self.precision = Precision(options.precision, self.device)
        self.network = build.build_network(self.model, options.compile)
        self.centre_optimizers = centre_optimizers(
            objective, options.identity_centre_lr, options.action_centre_lr
        )
        optimizers = [optimizer, *self.centre_optimizers]
        self.step = TrainStep(self.network, objective, optimizers, self.precision, options.clip)
        self.log = TrainLog(
            self.step.names,
            datamanager.train_table.paths,
            self.get_current_lr,
            lambda: self.checkpoints.last(),
            self.step.unchecked,
        )
        self.evaluator = Evaluator(self.network, datamanager, self.precision, evaluation_options)
        self.best_metric = BestMetric(options.best)
        self.history = RunHistory()
        self.fingerprint = fingerprint or build.fingerprint_of(self.model, datamanager)
        parts = {**self.step.parts(), "ledger": self.log}
        text = "" if config is None else config.dump()
        self.checkpoints = CheckpointManager(
            self.model, optimizer, scheduler, parts, self.history, self.fingerprint, text, options.keep
        )
        self.interrupts = Interrupts()

        # Where the engine is
        self.position, self.batch_idx = Position(0), 0
        self.outcome: TestOutcome | None = None  #: what the last test found
        self.results: Results | None = None  #: of the last test, as in results.json

    @classmethod
    def from_config(
        cls, cfg: CfgNode, data: ClipDataManager, model: nn.Module, optimizer: Optimizer, scheduler: Any
    ) -> "JointEngine":
        """The engine that a config asks for.

        Args:
            cfg: the whole config.
            data: data manager that was built from the same config.
            model: model that was built by the host.
            optimizer: optimiser that was built by the host from ``cfg.train``.
            scheduler: schedule that was built by the host; used with ``reidar.train.schedule: host``.
        """
        hold_out(data, cfg)
        model = unwrapped(model)
        return cls(
            data,
            model,
            optimizer,
            build.build_objective(cfg, data, model),
            scheduler=build.build_schedule(cfg, optimizer, scheduler),
            use_gpu=cfg.use_gpu,
            training_options=TrainingOptions.from_config(cfg),
            evaluation_options=EvaluationOptions.from_config(cfg),
            fingerprint=build.build_fingerprint(cfg, data, model),
            config=cfg,
            resume_from=cfg.model.resume,
            weights_from=cfg.model.load_weights,
        )

    def run(
        self,
        save_dir: str = "log",
        max_epoch: int = 0,
        start_epoch: int = 0,
        print_freq: int = 10,
        fixbase_epoch: int = 0,
        open_layers: str | Sequence[str] | None = None,
        start_eval: int = 0,
        eval_freq: int = -1,
        test_only: bool = False,
        dist_metric: str = "euclidean",
        normalize_feature: bool = False,
        visrank: bool = False,
        visrank_topk: int = 10,
        use_metric_cuhk03: bool = False,
        ranks: Sequence[int] = (1, 5, 10, 20),
        rerank: bool = False,
    ) -> None:
        """Train, and test as often as ``eval_freq`` says and at the end; or only test. Arguments as in the host.

        Training goes on from the newest checkpoint in ``save_dir``, if there is one (``reidar.train.resume``).

        Raises:
            SystemExit: Ctrl-C, SIGTERM, SIGUSR1 or SIGHUP; everything was saved.
            FolderInUseError: another run writes to ``save_dir``.
        """
        if visrank and not test_only:
            raise ConfigError("test.visrank shows what a test ranks: it needs test.evaluate True")
        rerank = rerank and test_only  # as in the host
        options = TestOptions(
            dist_metric, normalize_feature, visrank, visrank_topk, save_dir, use_metric_cuhk03, ranks, rerank
        )
        if test_only:
            self.checkpoints.check_weights(self.resume_from or self.weights_from)
            self.test(**vars(options))
            return
        start = time.monotonic()
        self._start(save_dir, start_epoch, max_epoch)
        with self._saved_at_the_end_of_a_job():
            # a finished run is tested again, and so is an epoch whose test was interrupted
            self._test_if_due(options, start_eval, eval_freq)
            while self.position.epoch < max_epoch:
                self.epoch = self.position.epoch
                self.train(print_freq, fixbase_epoch, open_layers)
                self.save_position()
                self._test_if_due(options, start_eval, eval_freq)
            if self.job.first:
                reporting.draw_training(self.history, save_dir)
            say(f"Elapsed {datetime.timedelta(seconds=round(time.monotonic() - start))}")

    def train(
        self, print_freq: int = 10, fixbase_epoch: int = 0, open_layers: str | Sequence[str] | None = None
    ) -> None:
        """One epoch, or what is left of it after an interruption."""
        self.set_model_mode("train")
        self.two_stepped_transfer_learning(self.epoch, fixbase_epoch, open_layers)
        self.num_batches, first = len(self.train_loader), self.position.step
        self.train_loader.set_epoch(self.epoch, first)
        self.objective.set_epoch(self.epoch)
        batches = self.log.follow(self.train_loader, self.epoch, self.max_epoch, self.num_batches, first)
        with self.interrupts.between_steps():
            for self.batch_idx, batch in enumerate(batches, start=first):
                with self.interrupts.held():
                    self.forward_backward(batch)
                    self._after_step(print_freq)
        with self.interrupts.held():
            self.log.read(self.writer)
            report_replaced(self.train_loader, "training")
            self.history.epochs.append(self.log.end_epoch())
            self.update_lr()
            self.position = Position(self.epoch + 1)

    def forward_backward(self, data: ClipBatch) -> dict[str, Tensor]:
        """One step on a batch of the training loader; its values stay on the device."""
        batch = to_device(data, self.device)
        frames, erased = self.datamanager.augment(batch.frames, self.epoch, self.batch_idx, self.job)
        if self.job.size > 1:  # each rank draws its own dropout, and again the same after an interruption
            seed_network(self.datamanager.augment.seed, self.epoch, self.batch_idx, self.job.rank)
        values = self.step(frames, Targets(batch.pids, batch.labels, batch.attributes, erased))
        self.log.add(self.batch_idx, data.tracklets, values)
        return dict(zip(self.step.names, values.unbind(), strict=True))

    def test(
        self,
        dist_metric: str = "euclidean",
        normalize_feature: bool = False,
        visrank: bool = False,
        visrank_topk: int = 10,
        save_dir: str = "",
        use_metric_cuhk03: bool = False,
        ranks: Sequence[int] = (1, 5, 10, 20),
        rerank: bool = False,
    ) -> float:
        """Test on every target under each of its protocols; print tables, write results.json.

        Returns:
            Rank-1 of the last target under its first protocol, as the host returns it.
        """
        check_test(dist_metric, use_metric_cuhk03)
        if visrank:
            check_report_libraries()  # before a test that may take hours
        outcome = self.outcome = self.evaluator(dist_metric, normalize_feature, rerank)
        self.results = reporting.describe(
            outcome, self.fingerprint.model, ranks, self.evaluator.options, self.config, self._notes()
        )
        if self.job.first:
            self.checkpoints.lock.keep()
        reporting.publish(self.results, save_dir if self.job.first else "")
        reporting.write_scalars(self.writer, reporting.test_scalars(outcome), self.epoch)
        if visrank and self.job.first:
            draw_test(
                self.evaluator,
                outcome,
                save_dir,
                visrank_topk,
                metric=dist_metric,
                normalize=normalize_feature,
            )
        return float(outcome.first[-1].retrieval.cmc(1))

    def save_model(self, epoch: int, rank1: float, save_dir: str, is_best: bool = False) -> None:
        """Save a checkpoint after epoch number ``epoch`` (from 0), as the host's method does."""
        self.position, self.history.rank1 = Position(epoch + 1), float(rank1)
        self.checkpoints.open(save_dir)
        path = self.save_position()
        if is_best:
            self.checkpoints.mark_best(path)

    def save_position(self) -> Path:
        """Write a checkpoint of this moment; only ever of finite weights."""
        self.log.read(self.writer)
        return self.checkpoints.save(self.position)

    def _start(self, save_dir: str, start_epoch: int, max_epoch: int) -> None:
        """Find out where to go on, and that the run can be made, before anything long is done."""
        self.job.part(self.train_loader.batches.batch_size)
        check_ranks(self.checkpoints.fingerprint, self.checkpoints.config)
        store = self.checkpoints.open(save_dir)
        if self.job.first:
            self.checkpoints.lock.take()  # before anything that another run may be writing is swept up
            store.check_writable()
        check_answerable(self.datamanager)
        self.best_metric.check(self.evaluator.protocol_names())
        self.start_epoch, self.max_epoch = start_epoch, max_epoch
        self.checkpoints.parts.update(build.registered_parts(self))
        found = self.checkpoints.resume(self.options.resume, self.resume_from)
        self.position = found or Position(start_epoch)
        check_same("where to go on", str(self.position))
        copy_from_first([*self.model.state_dict().values(), *self.objective.state_dict().values()])
        if found is None and start_epoch and isinstance(self.scheduler, WarmupSteps):
            self.scheduler.go_to(start_epoch)
        if self.writer is None and self.job.first:
            step = self.position.epoch * len(self.train_loader) + self.position.step
            self.writer = reporting.open_writer(save_dir, step)
        if self.position.epoch >= max_epoch > 0:
            say(f"nothing to train: {self.position} of {max_epoch} done")
        else:
            say(f"training from {self.position} to {Position(max_epoch)}{self._shares()}")

    @contextmanager
    def _saved_at_the_end_of_a_job(self) -> Iterator[None]:
        """Within the block, Ctrl-C, SIGTERM, SIGUSR1 and SIGHUP save where training is and end the process.

        The writer and the workers that read are closed and the folder given free in any case.
        """
        with self.interrupts.watched():
            try:
                yield
            except KeyboardInterrupt:
                path = self.save_position()
                say(f"stopped after {self.position}, saved as {path}; the same command goes on from there")
                self.interrupts.end_together()
                raise SystemExit(self.interrupts.status) from None
            finally:
                reporting.close_writer(self.writer)
                self.checkpoints.lock.release()
                self.train_loader.close()

    def _test_if_due(self, options: TestOptions, start_eval: int, eval_freq: int) -> None:
        """Test at the end and as often as the host would; the same weights twice only where nothing else is done."""
        epochs, step = self.position
        finished = epochs >= self.max_epoch
        due = finished or (epochs >= start_eval and eval_freq > 0 and epochs % eval_freq == 0)
        untested = step == 0 and epochs > self.history.tested
        idle = finished and epochs > 0 and self.outcome is None
        if (due and untested) or idle:
            self.epoch = epochs - 1
            rank1 = self.test(**vars(options))
            if untested:
                with self.interrupts.held():
                    self._keep_best(rank1, options.save_dir)

    def _keep_best(self, rank1: float, save_dir: str) -> None:
        """Compare the test that was just made with the best so far, and save again with the figure in the history."""
        assert self.outcome is not None  # a test was just made
        assert self.results is not None
        figure = self.best_metric.figure_of(self.outcome.retrieval)
        actions = self.outcome.actions
        thresholds = () if actions is None else actions.thresholds
        best, better = self.history.add_test(figure, self.position.epoch, rank1, thresholds)
        if better and self.job.first:
            self.checkpoints.lock.keep()
            reporting.save_results(self.results, Path(save_dir) / "best")
        path = self.save_position()
        if better:
            self.checkpoints.mark_best(path)
        say(
            f"best so far: {best.what} {best.value:.2%}, after {Position(best.epoch)}, "
            f"kept as {self.checkpoints.best_path}; {self.evaluator.chosen_on}"
        )

    def _shares(self) -> str:
        """How ranks share a batch, in words; empty for one rank."""
        clips = self.train_loader.batches.batch_size
        means = "NCCL" if self.use_gpu else "gloo"
        return f", {clips} clips a step by {self.job.size} ranks over {means}" if self.job.size > 1 else ""

    def _notes(self) -> dict[str, Any]:
        """What results.json says beside the figures."""
        if self.checkpoints.store is None:  # only testing
            return {"weights": self.resume_from or self.weights_from or "as built"}
        return {"epochs": self.position.epoch, "best checkpoint": self.evaluator.chosen_on}

    def _after_step(self, print_freq: int) -> None:
        """Reading makes the host wait for a GPU, so that it is done when something is printed or saved."""
        done = self.batch_idx + 1
        self.position = Position(self.epoch, done)
        printing = done % print_freq == 0
        if printing or self.device.type == "cpu":
            self.log.read(self.writer)
        if printing:
            self.log.print(done)
        if self.options.save_every and done % self.options.save_every == 0 and done < self.num_batches:
            self.save_position()
