"""Worker and dispatcher: outcomes, retries, dead letters, leases; nobody waits for others."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.notify.backoff import Retries, wait_ms
from alerts.notify.chain import Chain, Route
from alerts.notify.dispatcher import Dispatcher, Pace
from alerts.notify.errors import DeliveryError
from alerts.notify.memory import MemoryQueue
from alerts.notify.records import Notification
from alerts.notify.worker import Worker
from tests.alerts.notify.build import alert_of, told
from tests.running import eventually

AT_ONCE = Retries(first_ms=0, most_ms=0, attempts=3, give_up_after_ms=0)
DOWN, WRONG = DeliveryError("is down", retry=True), DeliveryError("is wrong", retry=False)


class Fake:
    """A channel that fails as it is told, then works."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.sent: list[list[str]] = []

    def send(self, batch: Sequence[Notification]) -> str:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.sent.append([told.key for told in batch])
        return "fine"


def one(fake: Fake, queue: MemoryQueue, route: Route | None = None, **other: Any) -> Worker:
    chain = Chain(route or Route())
    return Worker(
        other.pop("name", "team"), fake, chain, queue, lambda: 1_000,
        other.pop("retries", AT_ONCE), random.Random(1),
    )  # fmt: skip


def turn(worker: Worker, queue: MemoryQueue, now_ms: int = 1_000) -> None:
    worker.handle(queue.claim(now_ms, 100, 10_000))


# outcomes -------------------------------------------------------------------------------------


def test_sent_is_recorded_with_what_was_said() -> None:
    queue, fake = MemoryQueue(), Fake()
    number = queue.put(told(), 0)
    turn(one(fake, queue), queue)
    entry = queue.entry(number)
    assert (entry.status, entry.detail, entry.attempts) == ("sent", "fine", 1)
    assert fake.sent == [[told().key]]


def test_a_failure_is_tried_again_then_sent() -> None:
    queue, fake = MemoryQueue(), Fake(DOWN)
    number = queue.put(told(), 0)
    worker = one(fake, queue)
    turn(worker, queue)
    assert (queue.entry(number).status, queue.entry(number).detail) == ("queued", "is down")
    turn(worker, queue)
    assert queue.entry(number).status == "sent"
    assert worker.counts == {"retried": 1, "sent": 1}


def test_given_up_and_replayed() -> None:
    queue, fake = MemoryQueue(), Fake(DOWN, DOWN, DOWN)
    number = queue.put(told(), 0)
    worker = one(fake, queue)
    for _ in range(4):
        turn(worker, queue)
    assert (queue.entry(number).status, queue.entry(number).attempts) == ("dead", 3)
    assert queue.replay(1_000) == 1
    turn(worker, queue)
    assert queue.entry(number).status == "sent"


def test_what_cannot_work_is_not_tried_again() -> None:
    queue, fake = MemoryQueue(), Fake(WRONG)
    number = queue.put(told(), 0)
    turn(one(fake, queue), queue)
    assert (queue.entry(number).status, queue.entry(number).detail) == ("dead", "is wrong")


def test_a_fault_of_a_channel_parks_the_notification(caplog: pytest.LogCaptureFixture) -> None:
    queue, fake = MemoryQueue(), Fake(ZeroDivisionError("secret"))
    number = queue.put(told(), 0)
    turn(one(fake, queue), queue)
    assert queue.entry(number).detail == "a fault: ZeroDivisionError"
    assert "a fault in its channel" in caplog.text


def test_acknowledged_meanwhile_is_not_sent() -> None:
    queue, fake = MemoryQueue(), Fake()
    page, news = queue.put(told("opened"), 0), queue.put(told("acknowledged"), 0)
    claimed = queue.claim(0, 10, 1_000)
    assert queue.cancel(told().alert.id) == 1
    one(fake, queue).handle(claimed)
    assert fake.sent == [[told("acknowledged").key]]
    assert (queue.entry(page).status, queue.entry(news).status) == ("cancelled", "sent")


def test_stages_speak_in_the_queue() -> None:
    queue, fake = MemoryQueue(), Fake()
    number = queue.put(told(drill=True), 0)
    turn(one(fake, queue, Route(drills=False)), queue)
    entry = queue.entry(number)
    assert (entry.status, entry.stage) == ("dropped", "drill")
    assert entry.detail == "the receiver hears of no drills"


def test_a_group_is_one_message_and_one_bad_member_spoils_nothing() -> None:
    queue, fake = MemoryQueue(), Fake()
    numbers = [queue.put(told(alert=alert_of(i)), 0) for i in range(3)]
    grouped = one(fake, queue, Route(group_wait_ms=500))
    turn(grouped, queue)
    assert [len(batch) for batch in fake.sent] == [3]
    assert {queue.entry(n).status for n in numbers} == {"sent"}
    again = [queue.put(told(alert=alert_of(i)), 0) for i in range(3, 6)]
    fake.failures = [WRONG, None, WRONG, None]  # the batch; then one by one
    turn(grouped, queue)
    assert [queue.entry(n).status for n in again] == ["sent", "dead", "sent"]


def test_a_delay_is_no_attempt() -> None:
    queue, fake, clock = MemoryQueue(), Fake(DOWN, DOWN), [0]
    number = queue.put(told(), 0)
    chain = Chain(Route(group_wait_ms=5_000))
    worker = Worker("team", fake, chain, queue, lambda: clock[0], AT_ONCE, random.Random(1))
    turn(worker, queue, clock[0])
    assert worker.counts == {"delayed": 1}
    assert (queue.entry(number).attempts, queue.entry(number).due_ms) == (0, 5_000)
    clock[0] = 5_000
    for _ in range(3):  # its three attempts are all there still
        turn(worker, queue, clock[0])
    assert (queue.entry(number).status, queue.entry(number).attempts) == ("sent", 3)


def test_the_limit_makes_a_summary_later() -> None:
    queue, fake, clock = MemoryQueue(), Fake(), [0]
    for i in range(5):
        queue.put(told(alert=alert_of(i)), 0)
    worker = Worker("team", fake, Chain(Route(per_hour=2)), queue, lambda: clock[0], AT_ONCE)
    worker.handle(queue.claim(0, 1, 10))
    worker.handle(queue.claim(0, 1, 10))
    worker.handle(queue.claim(0, 100, 10))
    assert [len(batch) for batch in fake.sent] == [1, 1]
    clock[0] = 1_800_000
    worker.handle(queue.claim(clock[0], 100, 10))
    assert [len(batch) for batch in fake.sent] == [1, 1, 3]


# backoff --------------------------------------------------------------------------------------


@given(st.integers(1, 500), st.integers(0, 2**32))
def test_jitter_is_full_and_bounded(attempts: int, seed: int) -> None:
    retries = Retries()
    wait = wait_ms(retries, attempts, random.Random(seed))
    assert 0 <= wait <= min(retries.most_ms, retries.first_ms * 2 ** (attempts - 1))
    assert wait == wait_ms(retries, attempts, random.Random(seed)), "seeded, it repeats"
    assert wait_ms(retries, attempts, random.Random(seed), 60) == wait + 60_000


def test_jitter_spreads() -> None:
    draw = random.Random(7)
    waits = [wait_ms(Retries(), 4, draw) for _ in range(2_000)]
    assert len(set(waits)) > 1_800
    assert 19_000 < sum(waits) / len(waits) < 21_000, "half of 40 seconds"


# threads --------------------------------------------------------------------------------------

QUICK = Pace(poll_ms=5, lease_ms=60_000, sending_ms=100)


class Clock:
    """Milliseconds that go on by hand."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


class Hanging(Fake):
    """A channel that hangs until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.free = threading.Event(), threading.Event()

    def send(self, batch: Sequence[Notification]) -> str:
        self.begun.set()
        assert self.free.wait(30)
        return super().send(batch)


def dispatch(
    queue: MemoryQueue,
    *workers: Worker,
    clock: Callable[[], int] = lambda: 1_000,
    pace: Pace = QUICK,
) -> Dispatcher:
    found = Dispatcher(queue, workers, clock, pace)
    found.start()
    return found


def test_one_that_hangs_holds_up_no_other() -> None:
    queue, slow, fast = MemoryQueue(), Hanging(), Fake()
    for i in range(300):
        queue.put(told(alert=alert_of(i), receiver="slow"), 0)
    found = dispatch(queue, one(slow, queue, name="slow"), one(fast, queue, name="fast"))
    try:
        assert slow.begun.wait(20)
        numbers = [queue.put(told(alert=alert_of(i), receiver="fast"), 0) for i in range(300)]
        eventually(lambda: all(queue.entry(n).status == "sent" for n in numbers))
        assert slow.sent == []
        assert found.counts()["fast"]["sent"] == 300
    finally:
        slow.free.set()
        found.stop()
    assert len(fast.sent) == 300


def test_stopping_gives_back_what_was_not_begun() -> None:
    queue, slow = MemoryQueue(), Hanging()
    numbers = [queue.put(told(alert=alert_of(i)), 0) for i in range(10)]
    found = dispatch(queue, one(slow, queue))
    assert slow.begun.wait(20)
    stopping = threading.Thread(target=found.stop)
    stopping.start()
    eventually(found._stopping.is_set)
    slow.free.set()
    stopping.join()
    assert [queue.entry(n).status for n in numbers].count("sent") == 1, "what was begun is ended"
    assert len(queue.claim(1_000, 100, 1)) == 9, "due at once"


def test_a_receiver_that_another_process_knows_is_left_to_it() -> None:
    """`nadhir api` still runs with the configuration of before; `nadhir run` has the new one."""
    queue, fake, clock = MemoryQueue(), Fake(), Clock()
    number = queue.put(told(receiver="new"), clock.now)
    older = dispatch(queue, clock=clock)
    eventually(lambda: queue.entry(number).detail)
    older.stop()
    assert queue.entry(number).status == "queued"
    clock.now += QUICK.unknown_retry_ms
    newer = dispatch(queue, one(fake, queue, name="new"), clock=clock)
    try:
        eventually(lambda: queue.entry(number).status == "sent")
    finally:
        newer.stop()


def test_a_receiver_that_is_gone_is_told_of() -> None:
    queue = MemoryQueue()
    number = queue.put(told(receiver="gone"), 0)
    found = dispatch(queue, clock=lambda: QUICK.unknown_ms)
    try:
        eventually(lambda: queue.entry(number).status == "dropped")
    finally:
        found.stop()
    assert queue.entry(number).detail == "the configuration has no such receiver"


def test_a_lease_that_ran_out_is_not_used() -> None:
    """While one message hangs the lease of the others runs out, and somebody else claims them."""
    queue, slow, clock = MemoryQueue(), Hanging(), Clock()
    first, second = (queue.put(told(alert=alert_of(i)), 0) for i in range(2))
    found = dispatch(queue, one(slow, queue), clock=clock)
    assert slow.begun.wait(20)
    found._claim_once = lambda: 0  # type: ignore[method-assign]
    clock.now = QUICK.lease_ms + 1
    taken = {item.id for item in queue.claim(clock.now, 10, 1_000)}
    assert taken == {first, second}
    slow.free.set()
    eventually(lambda: queue.entry(first).status == "sent")
    found.stop()
    assert len(slow.sent) == 1
    assert queue.entry(second).status == "queued"


def test_a_retry_that_is_due_before_its_batch_is_done_is_not_forgotten() -> None:
    """The second of a batch hangs; the first failed, and is claimed again meanwhile."""

    class SecondHangs(Hanging):
        def send(self, batch: Sequence[Notification]) -> str:
            if batch[0].alert.id == alert_of(0).id:
                return Fake.send(self, batch)
            return super().send(batch)

    queue, slow = MemoryQueue(), SecondHangs()
    slow.failures = [DOWN]
    first, second = (queue.put(told(alert=alert_of(i)), 0) for i in range(2))
    found = dispatch(queue, one(slow, queue))
    try:
        assert slow.begun.wait(20)
        eventually(lambda: queue.entry(first).attempts == 2)
        slow.free.set()
        eventually(lambda: queue.entry(first).status == queue.entry(second).status == "sent")
    finally:
        slow.free.set()
        found.stop()


def test_the_store_may_fail_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MemoryQueue):
        failures = 3

        def claim(self, now_ms: int, limit: int, lease_ms: int) -> Any:
            if self.failures:
                self.failures -= 1
                raise OSError("disk")
            return super().claim(now_ms, limit, lease_ms)

    queue, fake = Broken(), Fake()
    number = queue.put(told(), 0)
    found = dispatch(queue, one(fake, queue))
    try:
        eventually(lambda: queue.entry(number).status == "sent")
    finally:
        found.stop()
    assert "cannot be claimed" in caplog.text
