import asyncio
from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.mapping import Mapping
from loihi_gym.server.queue import Client, FairQueue, Job
from tests.toys import examples

MAPPING = Mapping([1], [0])


def job(client: str, number: int, problem: str = "p") -> Job:
    return Job((problem, client, number), MAPPING, Client(client), 0.0, outcome=None)


def take_all(jobs: list[Job], most: int = 1) -> list[list[Job]]:
    async def run() -> list[list[Job]]:
        queue = FairQueue()
        for one in jobs:
            queue.put(one)
        taken = []
        while len(queue):
            taken.append(await queue.take(lambda _: most))
        assert queue.clients == 0
        return taken

    return asyncio.run(run())


@examples(100)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xy")), max_size=40))
def test_each_client_in_turn_and_each_in_order(asked):
    jobs = [job(client, number, problem) for number, (client, problem) in enumerate(asked)]
    taken = [one for chunk in take_all(jobs) for one in chunk]
    assert sorted(one.key[2] for one in taken) == list(range(len(jobs)))
    by_client = defaultdict(list)
    served: Counter[str] = Counter()
    left = Counter(one.client.owner for one in jobs)
    for one in taken:
        by_client[one.client.owner].append(one.key[2])
        served[one.client.owner] += 1
        # Nobody who still waits has had fewer turns, but for the round that is under way.
        assert all(
            served[other] >= served[one.client.owner] - 1
            for other in left
            if left[other] > served[other]
        )
    assert all(numbers == sorted(numbers) for numbers in by_client.values())


def test_what_is_taken_at_once_is_of_one_client_and_problem():
    jobs = [job("a", 0), job("a", 1), job("b", 2), job("a", 3, "q"), job("a", 4)]
    chunks = [[one.key[2] for one in chunk] for chunk in take_all(jobs, most=10)]
    assert chunks == [[0, 1], [2], [3], [4]]


def test_taking_waits_for_a_job():
    async def run() -> int:
        queue = FairQueue()
        waiting = asyncio.create_task(queue.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        queue.put(job("a", 7))
        return (await waiting)[0].key[2]

    assert asyncio.run(run()) == 7


def test_many_names_on_one_machine_have_one_machines_turns():
    """Ten names of one machine and one of another, each with three measurements."""
    names = [*(Client("greedy", str(number)) for number in range(10)), Client("modest", "a")]
    jobs = [
        Job(("p", f"{client.owner}{client.name}", number), MAPPING, client, 0.0, outcome=None)
        for client in names
        for number in range(3)
    ]
    order = [one.client for chunk in take_all(jobs) for one in chunk]
    assert [client.owner for client in order[:6]] == ["greedy", "modest"] * 3
    # The names of one machine share its turns.
    mine = [client.name for client in order if client.owner == "greedy"]
    assert mine == [str(number) for number in range(10)] * 3
