"""The relay: which stage of which run may start now, who is running, and what became of each.

One model stage at a time holds the baton, over all runs together, so that each model is loaded once; CPU stages start beside
it as soon as a run is ready for them. A stage with nothing to do is never started.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from stages.pipeline.errors import ExitCode, SceneRelayError, combined_exit_code
from stages.pipeline.events import append_event
from stages.pipeline.manifests import STAGES, Attempt, StageName, TopicManifest
from stages.pipeline.run_directory import RunDirectory
from stages.pipeline.runner.attempts import add_attempt, log_name, next_attempt
from stages.pipeline.runner.child import Child, start_child
from stages.pipeline.runner.display import Display
from stages.pipeline.runner.graph import AFTER, Lane, lane_of
from stages.pipeline.runner.timeline import MemoryTimeline
from stages.pipeline.staleness import examine

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.05
BUILT_UPON = (ExitCode.DONE, ExitCode.SOME_SCENES_FAILED)  # what later stages go on from


@dataclass(frozen=True)
class Outcome:
    """What became of one stage of one run. `started` is False when nothing had to be done, or nothing could be.

    `waits` says that it could not begin because of a stage before it, whose own outcome carries the code.
    """

    code: ExitCode
    reason: str | None = None
    started: bool = False
    waits: bool = False


@dataclass
class _Leg:
    """One stage of one run on its way through the relay."""

    run: RunDirectory
    topic: TopicManifest
    stage: StageName
    outcome: Outcome | None = None
    ready: bool = False
    running: bool = False
    why: str = ""
    strategy: str | None = None
    attempt: int = 0


class Relay:
    """Runs every stage of every given run that has something to do. Must be used from the main thread."""

    def __init__(
        self, runs: Sequence[tuple[RunDirectory, TopicManifest]], display: Display, timeline: MemoryTimeline
    ) -> None:
        self._legs = {(r.path, stage): _Leg(r, topic, stage) for r, topic in runs for stage in STAGES}
        self._runs = [run for run, _ in runs]
        self._attempts = {run.path: next_attempt(run) - 1 for run in self._runs}
        self._display = display
        self._timeline = timeline
        self._children: list[Child] = []
        self._interrupts = 0

    def run(self) -> dict[str, dict[StageName, Outcome]]:
        """Work until every leg has an outcome. Gives the outcomes by run name and stage."""
        previous = [(number, signal.signal(number, self._interrupt)) for number in (signal.SIGINT, signal.SIGTERM)]
        try:
            while True:
                self._settle()
                self._start_what_is_ready()
                if not self._children:
                    break
                self._listen()
        finally:
            for child in self._children:
                child.kill()
            for number, handler in previous:
                signal.signal(number, handler)
        return {
            run.name: {stage: self._leg(run, stage).outcome or Outcome(ExitCode.INTERRUPTED) for stage in STAGES}
            for run in self._runs
        }

    # ---- deciding

    def _settle(self) -> None:
        """Look at each leg whose predecessors have an outcome: nothing to do, ready, or impossible."""
        for leg in self._legs.values():
            if leg.outcome or leg.ready or leg.running or not self._predecessors_settled(leg):
                continue
            if self._interrupts:
                leg.outcome = Outcome(ExitCode.INTERRUPTED, "stopped before it began")
                continue
            broken = self._broken_predecessor(leg)
            if broken:
                leg.outcome = Outcome(ExitCode.DONE, f"waits for {broken}", waits=True)
                continue
            try:
                state = examine(leg.stage, leg.run, leg.topic)
            except SceneRelayError as error:
                leg.outcome = Outcome(error.exit_code, str(error))
                self._display.ended(leg.stage, leg.run, 0.0, error.exit_code, str(error))
                continue
            if state.waiting_for:
                leg.outcome = Outcome(ExitCode.DONE, f"waits for {state.waiting_for}", waits=True)
            elif state.done:
                leg.outcome = Outcome(ExitCode.DONE)
            else:
                leg.ready = True
                leg.why = state.tasks[0].why if state.tasks else state.why or "not published"

    def _predecessors_settled(self, leg: _Leg) -> bool:
        return all(self._leg(leg.run, stage).outcome for stage in AFTER[leg.stage])

    def _broken_predecessor(self, leg: _Leg) -> StageName | None:
        """A stage that ended without its work done: what it left from before is not built upon. The page shows it all."""
        if leg.stage == "report":
            return None
        for stage in AFTER[leg.stage]:
            outcome = self._leg(leg.run, stage).outcome
            if outcome and (outcome.code not in BUILT_UPON or outcome.waits):
                return stage
        return None

    def _start_what_is_ready(self) -> None:
        if self._interrupts:
            for leg in self._legs.values():
                if leg.ready:
                    leg.ready, leg.outcome = False, Outcome(ExitCode.INTERRUPTED, "stopped before it began")
            return
        ready = [leg for leg in self._legs.values() if leg.ready]
        for lane in ("model", "cpu"):
            if any(self._lane_of(child) == lane for child in self._children):
                continue
            candidates = [leg for leg in ready if lane_of(leg.stage, leg.topic) == lane]
            if candidates:
                first = min(candidates, key=lambda leg: STAGES.index(leg.stage))
                self._start([leg for leg in candidates if leg.stage == first.stage and leg.strategy == first.strategy])

    def _lane_of(self, child: Child) -> Lane:
        return lane_of(child.stage, self._leg(child.runs[0], child.stage).topic)

    # ---- starting and ending

    def _start(self, legs: list[_Leg]) -> None:
        """One process for these legs, which are one stage of several runs. A log that cannot be written ends them."""
        leader = legs[0]
        for leg in legs:
            # Counted here and not in attempts.json, which learns of an attempt when it has ended.
            self._attempts[leg.run.path] += 1
            leg.ready, leg.running, leg.attempt = False, True, self._attempts[leg.run.path]
        log = leader.run.logs / f"{leader.attempt:02d}_{leader.stage}.log"
        try:
            child = start_child(leader.stage, [leg.run for leg in legs], log, leader.attempt, leader.strategy)
        except SceneRelayError as error:
            for leg in legs:
                self._end(leg, Outcome(error.exit_code, str(error)), 0.0)
            return
        self._children.append(child)
        self._display.started(leader.stage, child.runs, leader.why)
        for leg in legs:
            self._note(leg.run, {"event": "started", "stage": leg.stage, "pid": child.process.pid, "why": leg.why})

    def _listen(self) -> None:
        """Wait a moment for events, pass them on, and reap who has ended."""
        select.select([child.events_descriptor for child in self._children], [], [], TICK_SECONDS)
        for child in list(self._children):
            code = child.exit_code()  # asked first: what a child told before it ended is then in the pipe
            for event in child.read_events():
                self._pass_on(child, event)
            self._timeline.sample(child)
            if code is not None:
                self._children.remove(child)
                self._reap(child, code)
            elif child.overdue:
                child.kill()

    def _pass_on(self, child: Child, event: dict[str, Any]) -> None:
        run = next((run for run in child.runs if str(run.path) == event.get("run")), None)
        for receiver in [run] if run else child.runs[:1]:
            self._note(receiver, event)
        if run and event.get("event") in ("scene_done", "scene_failed"):
            scene, done, total = event.get("scene", ""), event.get("done", 0), event.get("total", 0)
            self._display.progressed(child.stage, run, str(scene), int(done), int(total))
        if run and event.get("event") == "run_finished" and event.get("exit_code") != ExitCode.OUT_OF_GPU_MEMORY:
            self._end(self._leg(run, child.stage), _outcome_of(event), time.monotonic() - child.started)

    def _reap(self, child: Child, code: int) -> None:
        memory = child.memory_answer()
        seconds = time.monotonic() - child.started
        unfinished = [self._leg(run, child.stage) for run in child.runs if run.path not in child.ended]
        for position, leg in enumerate(unfinished):
            if self._interrupts:
                self._end(leg, Outcome(ExitCode.INTERRUPTED, "ended while it worked", started=True), seconds)
            elif position == 0:
                # The first unfinished run is the one it died in. The others get a fresh process.
                self._end(leg, Outcome(_code_of(code), _cause(child, code), started=True), seconds)
            else:
                leg.running, leg.ready = False, True
        for run in child.runs:
            leg = self._leg(run, child.stage)
            self._record_attempt(child, leg, code, seconds)
            if child.ended.get(run.path, {}).get("exit_code") == ExitCode.OUT_OF_GPU_MEMORY:
                self._climb_down(leg, memory, seconds)
        child.close()

    def _climb_down(self, leg: _Leg, memory: dict[str, Any], seconds: float) -> None:
        """Out of GPU memory: a fresh process tries the next strategy; finished scenes stay."""
        following, reason = memory.get("next_strategy"), str(memory.get("reason", "out of GPU memory"))
        if isinstance(following, str) and not self._interrupts:
            self._display.say(f"{leg.stage}: {reason}; trying again with strategy {following}")
            leg.running, leg.ready, leg.strategy, leg.why = False, True, following, reason
        else:
            self._end(leg, Outcome(ExitCode.TRY_AGAIN_LATER, f"{reason}; no smaller strategy is left", True), seconds)

    def _end(self, leg: _Leg, outcome: Outcome, seconds: float) -> None:
        leg.running, leg.ready, leg.outcome = False, False, outcome
        self._display.ended(leg.stage, leg.run, seconds, outcome.code, outcome.reason)
        self._note(leg.run, {"event": "ended", "stage": leg.stage, "exit_code": outcome.code, "reason": outcome.reason})

    def _record_attempt(self, child: Child, leg: _Leg, code: int, seconds: float) -> None:
        ended = child.ended.get(leg.run.path, {})
        add_attempt(
            leg.run,
            Attempt(
                attempt=leg.attempt,
                stage=child.stage,
                pid=child.process.pid,
                started_at=datetime.fromtimestamp(child.started_at, UTC).isoformat(timespec="seconds"),
                seconds=round(seconds, 3),
                exit_code=int(ended.get("exit_code", leg.outcome.code if leg.outcome else code)),
                reason=ended.get("reason") or (leg.outcome.reason if leg.outcome else None),
                log=log_name(leg.run, child.log),
                peak_host_bytes=ended.get("peak_host_bytes") or child.peak_host_bytes or None,
                strategy=ended.get("strategy"),
            ),
        )

    # ---- small things

    def _leg(self, run: RunDirectory, stage: StageName) -> _Leg:
        return self._legs[(run.path, stage)]

    def _note(self, run: RunDirectory, event: dict[str, Any]) -> None:
        append_event(run.events_path, {"at": round(time.time(), 3), **event})

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-C once, or SIGTERM: finish the scene and stop; Ctrl-C again: now."""
        self._interrupts += 1
        for child in self._children:
            if self._interrupts == 1:
                child.terminate()
            else:
                child.kill()
        note = b"stopping after the scene in hand; Ctrl-C again stops at once\n"
        if self._interrupts == 1:
            with contextlib.suppress(OSError):
                os.write(2, note)


def exit_code_of(outcomes: Iterable[Outcome]) -> ExitCode:
    """The exit code of a run, or of many."""
    return combined_exit_code(outcome.code for outcome in outcomes)


def _outcome_of(event: dict[str, Any]) -> Outcome:
    reason = event.get("reason")
    return Outcome(combined_exit_code([int(event.get("exit_code", 1))]), str(reason) if reason else None, started=True)


def _code_of(code: int) -> ExitCode:
    """The exit code of a process that did not say how its run ended: its own if it is one of ours and no success."""
    return combined_exit_code([code]) if code != ExitCode.DONE else ExitCode.BUG


def _cause(child: Child, code: int) -> str:
    if code == -signal.SIGKILL:
        what = "was killed (signal 9), as the kernel does when host memory runs out"
    elif code < 0:
        what = f"was ended by signal {-code} ({signal.strsignal(-code)})"
    else:
        what = f"ended with exit code {code}"
    return f"the {child.stage} process {what}; {child.log} has the rest; what it finished is kept"
