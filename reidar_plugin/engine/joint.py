"""The joint engine: torchreid's ``Engine`` for clips, people and actions."""

import datetime
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.tensorboard import SummaryWriter
from yacs.config import CfgNode

from reidar_plugin.checkpoint.best import BestMetric
from reidar_plugin.checkpoint.compatibility import check_weights
from reidar_plugin.checkpoint.fingerprint import RunFingerprint
from reidar_plugin.checkpoint.history import RunHistory
from reidar_plugin.checkpoint.manager import CheckpointManager
from reidar_plugin.checkpoint.state import Stateful, unwrapped
from reidar_plugin.checkpoint.store import Position
from reidar_plugin.data.held_out import HELD_OUT, hold_out
from reidar_plugin.data.loader import to_device
from reidar_plugin.data.manager import ClipDataManager
from reidar_plugin.engine.build import build_objective, build_schedule, called_network, identify
from reidar_plugin.engine.evaluator import Evaluator, TestOutcome, check_answerable
from reidar_plugin.engine.interrupt import INTERRUPTED, Interrupts
from reidar_plugin.engine.loss_ledger import LossLedger
from reidar_plugin.engine.options import EvaluationOptions, TrainingOptions
from reidar_plugin.engine.pictures import draw_test
from reidar_plugin.engine.reporting import (
    close_writer,
    describe,
    draw_training,
    open_writer,
    print_tables,
    save_results,
    test_scalars,
    write_scalars,
)
from reidar_plugin.engine.schedule import WarmupSteps
from reidar_plugin.engine.train_log import Journal
from reidar_plugin.engine.train_step import TrainStep, centre_optimizers
from reidar_plugin.errors import ConfigError
from reidar_plugin.host import reid
from reidar_plugin.inference.features import report_replaced
from reidar_plugin.inference.precision import Precision
from reidar_plugin.io.console import say
from reidar_plugin.losses.objective import Objective
from reidar_plugin.metrics.distances import check_metric
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
        datamanager: loaders, augmentation, label space.
        model: returns :class:`~reidar_plugin.structures.JointOutput`; ``DataParallel`` around it is understood.
        optimizer: of the model.
        objective: what is minimised; its centres get optimisers of their own.
        scheduler: of ``optimizer``, stepped after each epoch; None for none.
        use_gpu: train on CUDA where there is any.
        training_options: see there.
        evaluation_options: see there.
        identity: what a checkpoint must agree with.
        config: of the run, kept in checkpoints and results.
        resume_from: ``model.resume``: its model and optimiser have been loaded, and the rest is loaded here.
        weights_from: ``model.load_weights``, checked before a test.
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
        identity: RunFingerprint | None = None,
        config: CfgNode | None = None,
        resume_from: str = "",
        weights_from: str = "",
    ) -> None:
        super().__init__(datamanager, use_gpu)
        options = training_options or TrainingOptions()
        self.options, self.evaluation_options = options, evaluation_options or EvaluationOptions()
        self.device = torch.device("cuda" if self.use_gpu else "cpu")
        layout = torch.channels_last if options.channels_last else torch.contiguous_format
        self.model = model.to(self.device).to(memory_format=layout)
        self.optimizer, self.scheduler = optimizer, scheduler
        self.objective = objective.to(self.device)
        self.register_model("model", self.model, optimizer, scheduler)

        self.precision = Precision(options.precision, self.device)
        self.network = called_network(self.model, options.compile)
        self.centre_optimizers = centre_optimizers(
            objective, options.identity_centre_lr, options.action_centre_lr
        )
        optimizers = [optimizer, *self.centre_optimizers]
        self.step = TrainStep(self.network, objective, optimizers, self.precision, options.clip)
        self.evaluator = Evaluator(self.network, datamanager, self.precision, self.evaluation_options)

        self.identity = identity or RunFingerprint(
            type(unwrapped(model)).__name__, datamanager.num_train_pids
        )
        self.config = config
        self.resume_from, self.weights_from = resume_from, weights_from
        self.criterion = BestMetric(options.best)
        self.record, self.position = RunHistory(), Position(0)
        scaled = ("gradient_norm",) if self.step.scaler.is_enabled() else ()
        ledger = LossLedger(self.step.names, self._name_tracklet, unchecked=scaled)
        parts: dict[str, Any] = {"objective": objective, "scaler": self.step.scaler, "ledger": ledger}
        parts.update({f"centres {place}": each for place, each in enumerate(self.centre_optimizers)})
        text = "" if config is None else config.dump()
        self.keeper = CheckpointManager(
            self.model, optimizer, scheduler, parts, self.record, self.identity, text, options.keep
        )
        self.journal = Journal(ledger, self.get_current_lr, self.keeper.last)
        self.interrupts = Interrupts()
        self.batch_idx = 0
        self.verdicts: TestOutcome | None = None  #: of the last test
        self.results: Results | None = None  #: its record, as in results.json

    @classmethod
    def from_config(
        cls,
        cfg: CfgNode,
        datamanager: ClipDataManager,
        model: nn.Module,
        optimizer: Optimizer,
        scheduler: Any,
    ) -> "JointEngine":
        """The engine that a config asks for.

        Args:
            cfg: the whole config.
            datamanager: built from the same config.
            model: built by the host.
            optimizer: built by the host from ``cfg.train``.
            scheduler: built by the host; used with ``reidar.train.schedule: host``.
        """
        hold_out(datamanager, cfg)
        return cls(
            datamanager,
            model,
            optimizer,
            build_objective(cfg, datamanager, model),
            scheduler=build_schedule(cfg, optimizer, scheduler),
            use_gpu=cfg.use_gpu,
            training_options=TrainingOptions.from_config(cfg),
            evaluation_options=EvaluationOptions.from_config(cfg),
            identity=identify(cfg, datamanager, model),
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
            SystemExit: Ctrl-C; everything was saved.
        """
        if visrank and not test_only:
            raise ConfigError("test.visrank shows what a test ranks: it needs test.evaluate True")
        check_metric(dist_metric)
        how: dict[str, Any] = {"dist_metric": dist_metric, "normalize_feature": normalize_feature}
        how.update(
            ranks=ranks, visrank_topk=visrank_topk, save_dir=save_dir, use_metric_cuhk03=use_metric_cuhk03
        )
        if test_only:
            self._check_tested_weights()
            self.test(**how, visrank=visrank, rerank=rerank)
            return
        start = time.time()
        self._start(save_dir, start_epoch, max_epoch)
        with self.interrupts.watched():
            try:
                while self._test_if_due(how, start_eval, eval_freq).epoch < max_epoch:
                    self.epoch = self.position.epoch
                    self.train(print_freq, fixbase_epoch, open_layers)
                    self.save_position()
                draw_training(self.record, save_dir)
                say(f"Elapsed {datetime.timedelta(seconds=round(time.time() - start))}")
            except KeyboardInterrupt:
                path = self.save_position()
                say(f"stopped after {self.position}, saved as {path}; the same command goes on from there")
                raise SystemExit(INTERRUPTED) from None
            finally:
                close_writer(self.writer)

    def train(
        self, print_freq: int = 10, fixbase_epoch: int = 0, open_layers: str | Sequence[str] | None = None
    ) -> None:
        """One epoch, or what is left of it after an interruption."""
        self.set_model_mode("train")
        self.two_stepped_transfer_learning(self.epoch, fixbase_epoch, open_layers)
        self.num_batches, first = len(self.train_loader), self.position.step
        self.train_loader.set_epoch(self.epoch, first)
        batches = self.journal.follow(self.train_loader, self.epoch, self.max_epoch, self.num_batches, first)
        for self.batch_idx, batch in enumerate(batches, start=first):
            with self.interrupts.held():
                self.forward_backward(batch)
                self._after_step(print_freq)
        with self.interrupts.held():
            self.journal.settle(self.writer)
            report_replaced(self.train_loader, "training")
            self.record.history.append(self.journal.end_epoch())
            self.update_lr()
            self.position = Position(self.epoch + 1)

    def forward_backward(self, data: ClipBatch) -> dict[str, Tensor]:
        """One step on a batch of the training loader; its values stay on the device."""
        batch = to_device(data, self.device)
        frames, erased = self.datamanager.augment(batch.frames, self.epoch, self.batch_idx)
        values = self.step(frames, Targets(batch.pids, batch.labels, batch.attributes, erased))
        self.journal.ledger.add(self.batch_idx, data.tracklets, values)
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
        """Test on every target under every protocol of its; print tables, write results.json.

        Returns:
            Rank-1 of the last target under its first protocol, as the host returns it.
        """
        if use_metric_cuhk03:
            raise ConfigError(
                "cuhk03.use_metric_cuhk03 is a protocol of the pictures of CUHK03; leave it False"
            )
        if visrank:
            check_report_libraries()  # before a test that may take hours
        self.verdicts = verdicts = self.evaluator(dist_metric, normalize_feature, rerank)
        self.results = describe(
            self.identity.model,
            verdicts,
            ranks,
            self.evaluation_options,
            config=self.config,
            seeds={"train": self.config.train.seed} if self.config is not None else {},
            notes=self._notes(),
        )
        print_tables(self.results)
        if save_dir:
            say(f"results: {save_results(self.results, save_dir)}")
        write_scalars(self.writer, test_scalars(verdicts), self.epoch)
        if visrank:
            draw_test(
                self.evaluator,
                verdicts,
                save_dir,
                visrank_topk,
                metric=dist_metric,
                normalize=normalize_feature,
            )
        return float(verdicts.first[-1].retrieval.cmc(1))

    def save_model(self, epoch: int, rank1: float, save_dir: str, is_best: bool = False) -> None:
        """Save a checkpoint after epoch number ``epoch`` (from 0), as the host's method does."""
        self.position, self.record.rank1 = Position(epoch + 1), float(rank1)
        self.keeper.open(save_dir)
        path = self.save_position()
        if is_best:
            self.keeper.mark_best(path)

    def save_position(self) -> Path:
        """Write a checkpoint of this moment; only ever of finite weights."""
        self.journal.settle(self.writer)
        return self.keeper.save(self.position)

    def _start(self, save_dir: str, start_epoch: int, max_epoch: int) -> None:
        """Find the place to go on from, before anything long is done."""
        self.keeper.open(save_dir).check_writable()
        check_answerable(self.datamanager)
        self.criterion.check(self.evaluator.protocol_names())
        self.start_epoch, self.max_epoch = start_epoch, max_epoch
        self.keeper.parts.update(self._registered())
        found = self.keeper.resume(self.options.resume, self.resume_from)
        self.position = found or Position(start_epoch)
        if found is None and start_epoch and isinstance(self.scheduler, WarmupSteps):
            self.scheduler.go_to(start_epoch)
        if self.writer is None:
            place = self.position.epoch * len(self.train_loader) + self.position.step
            self.writer = open_writer(save_dir, place)
        if self.position.epoch >= max_epoch > 0:
            say(f"nothing to train: {self.position} of {max_epoch} done")
        else:
            say(f"training from {self.position} to {Position(max_epoch)}")

    def _test_if_due(self, how: dict[str, Any], start_eval: int, eval_freq: int) -> Position:
        """Test at the end and as often as the host would, the same weights once; where training is."""
        done, step = self.position
        last = done >= self.max_epoch
        due = last or (done >= start_eval and eval_freq > 0 and done % eval_freq == 0)
        new = due and step == 0 and done > self.record.tested
        if new or (last and done and self.verdicts is None):  # a run that was finished before is tested again
            self.epoch = done - 1
            rank1 = self.test(**how)
            if new:
                with self.interrupts.held():
                    self._keep_best(rank1, Path(str(how["save_dir"])))
        return self.position

    def _keep_best(self, rank1: float, save_dir: Path) -> None:
        """Judge the test that was just made, and save again with the verdict in it."""
        assert self.verdicts is not None  # a test was just made
        assert self.results is not None
        verdict = self.criterion.judge(self.verdicts.retrieval)
        best, better = self.record.judge(verdict, self.position.epoch, rank1)
        if better:
            save_results(self.results, save_dir / "best")
        path = self.save_position()
        if better:
            self.keeper.mark_best(path)
        say(
            f"best so far: {best.what} {best.value:.2%}, after {Position(best.epoch)}, kept as {self.keeper.best_path}; "
            + self._chosen_on()
        )

    def _notes(self) -> dict[str, Any]:
        """What results.json says beside the figures."""
        if self.keeper.store is None:  # only testing
            return {"weights": self.resume_from or self.weights_from or "as built"}
        return {"epochs": self.position.epoch, "best checkpoint": self._chosen_on()}

    def _chosen_on(self) -> str:
        if HELD_OUT in self.test_loader:
            return "chosen on people held out of training, not on the test set"
        return "chosen on the test set: take its figures for optimistic, and report the last epoch's"

    def _after_step(self, print_freq: int) -> None:
        """Reading makes the host wait for a GPU, so that it is done when something is printed or saved."""
        done = self.batch_idx + 1
        self.position = Position(self.epoch, done)
        printing = done % print_freq == 0
        if printing or self.device.type == "cpu":
            self.journal.settle(self.writer)
        if printing:
            self.journal.print(done)
        if self.options.save_every and done % self.options.save_every == 0 and done < self.num_batches:
            self.save_position()

    def _registered(self) -> dict[str, Stateful]:
        """States of what a subclass has registered beside the model."""
        tables = {"model": self._models, "optimizer": self._optims, "schedule": self._scheds}
        names = self.get_model_names()[1:]
        return {
            f"{kind} {n}": table[n] for kind, table in tables.items() for n in names if table[n] is not None
        }

    def _name_tracklet(self, place: int) -> str:
        paths = self.datamanager.train_table.paths[place]
        return getattr(paths, "key", "") or paths[0]

    def _check_tested_weights(self) -> None:
        tested = self.resume_from or self.weights_from
        if tested:
            check_weights(tested, self.model, self.identity, self.keeper.config)
        else:
            say(
                "testing the network as it was built: neither model.load_weights nor model.resume names a checkpoint"
            )
