"""KernelAnswers: what a kernel answers to clients at its control socket, and how it is reloaded. Any thread may call."""

import os
import threading
from collections import Counter
from collections.abc import Callable

import msgspec

from ..address import ROOT, ActorPath, name_of, parent_of, parse_path
from ..control import words
from ..errors import ActorRuntimeError, NoSuchActorError, NotBuiltError, RejectedError, StartError
from ..event import Event
from ..future import Future
from ..node.words import InjectFault, StartAgain
from ..snapshot import ActorSnapshot, TreeSnapshot, Warden
from ..supervision.changes import changes_of, check_reload
from ..supervision.kernel_tree import check_kernel_tree
from ..supervision.lint import warnings_of
from ..supervision.spec import SupervisorSpec, decode_spec
from ..system import ActorSystem
from ..wire.codec import UNTYPED
from .plan import KernelPlan, KernelWord

RELOAD_WAIT_S = 5.0
START_AGAIN_S = 60.0


class KernelAnswers:
    """Answers for one kernel, which runs `plan`, whose root is `spec`, in `system`. The kernel says when it `is_started`."""

    def __init__(
        self,
        plan: KernelPlan,
        spec: SupervisorSpec,
        system: ActorSystem,
        warden: int,
        tell_warden: Callable[[KernelWord], None],
    ) -> None:
        self._plan = plan
        self._spec = spec
        self._system = system
        self._warden = warden
        self._tell_warden = tell_warden
        self._reloading = threading.Lock()
        self.is_started = False

    def publish_warnings(self) -> None:
        """Tell of what is odd about the tree."""
        for warning in warnings_of(self._spec):
            self._system.events.publish("spec.warned", warning.path, rule=warning.rule, text=warning.text)

    def answer(self, question: words.Question) -> words.Reply:  # noqa: PLR0911  # a line for each question
        """Answer a client; on its connection's thread."""
        match question:
            case words.Ping():
                return words.Pong(words.VERSION, os.getpid(), self._warden, self._system.name, self.is_started)
            case words.GetTree():
                return words.Tree(self._tree())
            case words.KillNode(path):
                return self._kill(path)
            case words.StartAgain(path):
                return self._start_again(path)
            case words.Stop(now):
                return self._begin_stop(now=now)
            case words.Ask():
                return self._ask(question)
            case words.Tell(path, body):
                self._system.ref(path).tell(msgspec.msgpack.decode(body))
                return words.Told(path)
            case words.GetSpec():
                plan = self._plan
                return words.Spec(plan.spec, plan.search_path, plan.origin, plan.allow_fault_injection)
            case words.Reload():
                return self._reload(question)
            case words.InjectFault():
                return self._inject_fault(question)
            case words.FollowEvents():
                raise NotBuiltError("the control server follows events itself")

    def _tree(self) -> TreeSnapshot:
        return msgspec.structs.replace(self._system.snapshot(), warden=Warden(self._warden))

    def _kill(self, path: str) -> words.Reply:
        tree = self._system.snapshot()
        found = tree.root.find(parse_path(path))
        if found is None:
            raise NoSuchActorError(f"nobody lives at {path}")
        if found.pid is None:
            raise NoSuchActorError(f"{path} has no process now: it is {found.state}")
        paths = [actor.path for actor in tree.root.walk() if actor.pid == found.pid]
        if found.pid == os.getpid():
            raise RejectedError(f"{path} runs in the kernel itself, which everything else hangs on: use `symphony down --now`")
        self._system.kill_node(found.node)
        return words.Killed(found.pid, paths)

    def _inject_fault(self, question: words.InjectFault) -> words.Reply:
        if not self._plan.allow_fault_injection:
            raise RejectedError(
                "this tree does not allow faults to be injected: start it with `symphony up --allow-fault-injection`, or with"
                " `allow_injection = true` below [faults] in its settings"
            )
        found = self._system.snapshot().root.find(parse_path(question.path))
        if found is None:
            raise NoSuchActorError(f"nobody lives at {question.path}")
        if found.pid is None or found.kind == "supervisor" or found.pid == os.getpid():
            where = "runs in the kernel" if found.pid == os.getpid() else f"is a {found.kind}, {found.state}"
            raise RejectedError(f"{question.path} {where}: only an actor that runs in a node commits faults")
        self._system.events.publish("fault.injected", question.path, kind=question.kind, node=found.node, pid=found.pid)
        self._system.tell_node(found.node, InjectFault(question.path, question.kind))
        return words.Injected(question.path, found.node, found.pid)

    def _start_again(self, path: str) -> words.Reply:
        tree = self._system.snapshot()
        found = tree.root.find(parse_path(path))
        if found is None:
            raise NoSuchActorError(f"nobody lives at {path}")
        if path == ROOT:
            raise RejectedError("/ has no supervisor that could start it again: use `symphony down` and `symphony up`")
        if found.state not in ("parked", "stopped", "restarting"):
            raise RejectedError(f"{path} is {found.state}: `symphony kill {path}` ends its process, and it is restarted")
        at = parse_path(found.path)
        above = parent_of(at)
        over = tree.root.find(above)
        if over is None or over.pid is None or over.kind != "supervisor":
            raise RejectedError(f"{above}, its supervisor, does not run, or is none: start that again first")
        if over.pid == os.getpid():
            self._system.supervisor_at(above).restart(name_of(at)).get(START_AGAIN_S)
        else:
            self._start_again_in(over.node, at)
        return words.Started(path)

    def _start_again_in(self, node: str, path: ActorPath) -> None:
        """Have a node start one of its actors again, and wait until that has happened: its events tell."""
        told: Future[str] = Future()

        def hear(event: Event) -> None:
            if event.path == path and event.type in ("actor.started", "actor.restarted"):
                told.set_result("")
            elif event.path == path and event.type in ("actor.removed", "actor.start_again_failed"):
                told.set_result(str(event.fields.get("error") or f"it is {event.type.removeprefix('actor.')} again"))

        stop = self._system.events.listen(hear)
        try:
            self._system.tell_node(node, StartAgain(path))
            problem = told.get(START_AGAIN_S)
        finally:
            stop()
        if problem:
            raise StartError(f"{path} was not started: {problem}")

    def _begin_stop(self, *, now: bool) -> words.Reply:
        tree = self._system.snapshot()
        pids = sorted({pid for actor in tree.root.walk() for pid in _pids_of(actor)} | {self._warden})
        self._tell_warden(KernelWord(ready=self.is_started, stopping=True))
        # The stop first: a supervisor that is not stopping yet would start a killed node again.
        self._system.begin_stop()
        if now:
            self._system.kill_nodes()
        return words.Stopping(pids)

    def _reload(self, question: words.Reload) -> words.Reply:
        with self._reloading:  # one after the other: each is compared with what the one before has made of the tree
            old, new = self._spec, check_kernel_tree(decode_spec(question.spec))
            check_reload(old, new)
            before = self._plan.search_path
            # First, since a child that is started by the reload is found there.
            self._system.search_path = question.search_path
            try:
                self._system.supervisor.reload(new).get(RELOAD_WAIT_S)
            except ActorRuntimeError:
                self._system.search_path = before
                raise
            self._spec = new
            self._plan = msgspec.structs.replace(
                self._plan, spec=question.spec, search_path=question.search_path, origin=question.origin
            )
            self._tell_warden(KernelWord(ready=self.is_started, plan=self._plan))
        changes = changes_of(old, new)
        counts = Counter(change.kind for change in changes)
        self._system.events.publish(
            "tree.reloaded", "/", **{kind: counts[kind] for kind in ("added", "removed", "changed", "adjusted")}
        )
        self.publish_warnings()
        return words.Reloaded(list(changes))

    def _ask(self, question: words.Ask) -> words.Reply:
        ref = self._system.ref(question.path)
        try:
            answer = self._system.ask_encoded(ref.path, question.tag or UNTYPED, question.body, question.timeout_s)
            return words.Answer(answer.get())
        except ActorRuntimeError as error:
            kind = getattr(error, "kind", None)
            if kind is None:
                raise
            return words.Refused(kind, getattr(error, "text", str(error)), declared=True)


def _pids_of(actor: ActorSnapshot) -> list[int]:
    pids = [] if actor.pid is None else [actor.pid]
    return pids if actor.os_process is None else [*pids, actor.os_process.pid]
