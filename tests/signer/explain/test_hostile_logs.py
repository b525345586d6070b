"""Hostile logs: no exception, no answer that the log does not support, and memory that does not grow with the log."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator

import pytest

from signer.explain.explain import Explanation, Input, explain
from signer.explain.phrases import foreign_words
from signer.explain.readers import tool_text
from signer.limits import LIMITS
from tests.signer.explain.test_cases import CASES
from tests.signer.explain.test_readers import FORMS, MESSAGE, PATH, xml

TEXTS = [*FORMS.values(), *(case["text"] for case in CASES)]


def run(data: bytes) -> Explanation:
    return explain([Input("hostile", [data])])


@pytest.mark.parametrize("seed", range(8))
def test_mutated_logs_raise_nothing(seed: int) -> None:
    chooser = random.Random(seed)
    for text in TEXTS:
        data = bytearray(text.encode(chooser.choice(["utf-8", "utf-16"])))
        for _ in range(chooser.randint(1, 12)):
            at = chooser.randrange(len(data)) if data else 0
            match chooser.randrange(4):
                case 0:
                    data[at : at + 1] = bytes([chooser.randrange(256)])
                case 1:
                    del data[at : at + chooser.randrange(1, 40)]
                case 2:
                    data[at:at] = data[: chooser.randrange(1, 60)]
                case _:
                    data = data[: at + 1]
        for answer in run(bytes(data)).answers:
            assert answer.cause and answer.reason and answer.next


def large(line: str, megabytes: int) -> Iterator[bytes]:
    piece = (line * (65536 // len(line) + 1)).encode()
    for _ in range(megabytes * (1 << 20) // len(piece)):
        yield piece


@pytest.mark.parametrize(
    "line",
    [
        "     flq: nothing of interest here\n",
        "no line feed at all ",
        "{",
        '{"Id": 1, ',
        "<Event ",
        f"{MESSAGE}\n"[:90] + "\n",
        'Id,Message\n1,"',
        ">",
    ],
    ids=["lines", "one-line", "braces", "json", "xml", "messages", "rows", "quotes"],
)
def test_memory_does_not_grow_with_the_log(line: str) -> None:
    tracemalloc.start()
    try:
        explain([Input("large", large(line, 4))])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_the_number_of_files_is_bounded_and_the_rest_is_counted() -> None:
    events = "".join(
        xml(3004, FileNameBuffer=PATH.replace("X", f"X{number}")) for number in range(LIMITS["log-files"] + 5)
    )
    explanation = run(events.encode())
    assert len(explanation.answers) == LIMITS["log-files"]
    assert explanation.left_out == 5


def test_a_name_with_a_place_of_a_sentence_is_printed_as_it_is() -> None:
    (answer,) = run(xml(3004, FileNameBuffer=PATH.replace("X", "{policy}{detail}")).encode()).answers
    assert "{policy}{detail}.sys" in answer.cause


def test_every_word_that_is_worth_reading_is_found_by_a_shorter_one() -> None:
    words = [*tool_text._WORTH_READING, *foreign_words()]
    for word in words:
        assert any(one in word for one in tool_text._worth_reading(word.isascii())), word
    assert len(tool_text._worth_reading(True)) < len(tool_text._worth_reading(False)) < len(words)
