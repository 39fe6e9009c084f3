"""The study at a tiny size: every arm writes its line, nothing is done twice, and the report says what the lines say."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tah_training.problems.problem import problem_split
from tah_training.recipe import read_yaml
from tah_training.shards import IGNORED
from tah_training.study.arms import Arm, Spent
from tah_training.study.forms import ALPHABET, END, FORMS, HARD, Batch, encoded, exercise, held_out, training_batches
from tah_training.study.report import CONTROLS, METHOD, Lines, interval, write_report
from tah_training.study.run import ARMS, Study, _second_choice, judged
from tah_training.study.settings import StudySettings

TINY = StudySettings(seeds=[1], hidden_size=16, heads=2, rows=32, backbone_tokens=900, arm_tokens=900, decider_tokens=500, heldout_per_form=6, validation_per_form=6)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = Study(TINY, tmp_path_factory.mktemp("study"))
    study.run()
    return study


def test_every_arm_has_its_line(finished: Study) -> None:
    done = finished.done()
    assert set(done) == {(arm, 1) for arm in ARMS}
    for line in done.values():
        assert {f: len(v) for f, v in line["right"].items()} == dict.fromkeys(FORMS, 6)
    assert done["always", 1]["counts"]["sent"] == done["always", 1]["counts"]["answer_tokens"]
    assert done["standard", 1]["counts"]["sent"] == 0
    assert done["always-all", 1]["spent"]["positions"] == 2 * done["standard", 1]["spent"]["positions"]
    assert done["one-more-layer", 1]["parameters"] > done["backbone", 1]["parameters"]


def test_what_is_done_is_not_done_again(finished: Study, tmp_path: Path) -> None:
    lines = finished.lines.read_text()
    Study(TINY, finished.folder).run()
    assert finished.lines.read_text() == lines
    # A study that was stopped does the missing arm only.
    kept = [line for line in lines.splitlines() if json.loads(line)["arm"] != "always"]
    (tmp_path / "study.jsonl").write_text("\n".join(kept) + "\n")
    (tmp_path / "backbone-1.pt").write_bytes((finished.folder / "backbone-1.pt").read_bytes())
    again = Study(TINY, tmp_path)
    again.run()
    assert len((tmp_path / "study.jsonl").read_text().splitlines()) == len(ARMS)
    assert again.done()["always", 1]["right"] == finished.done()["always", 1]["right"]


def test_lines_of_other_settings_are_not_mixed_in(finished: Study) -> None:
    with pytest.raises(ValueError, match="other settings"):
        Study(replace(TINY, arm_tokens=1000), finished.folder).done()


def test_the_report_is_made_of_the_lines(finished: Study, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in finished.lines.read_text().splitlines()]
    for row in rows:
        row["right"] = {form: ("110000" if row["arm"] in METHOD else "100000") for form in FORMS}
    (tmp_path / "study.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    write_report(tmp_path, tmp_path / "RESULTS.md")
    text = (tmp_path / "RESULTS.md").read_text()
    assert "33.3 [" in text and "16.7 [" in text and "+16.7 [" in text
    assert f"- hard forms, `tah-paper`: better than {', '.join(f'`{c}`' for c in CONTROLS if c not in METHOD)}" in text
    assert (tmp_path / "RESULTS.svg").read_text().startswith("<?xml")


def test_a_report_needs_a_whole_seed(finished: Study) -> None:
    with pytest.raises(ValueError, match="no seed has all arms"):
        Lines([line for (arm, _), line in finished.done().items() if arm != "standard"])


def test_the_interval_is_paired() -> None:
    """Arms that are right on the same exercises differ surely, however different the exercises are."""
    rng = np.random.default_rng(0)
    control = rng.integers(0, 2, size=(2, 800)).astype(float)
    better = control.copy()
    better[:, :80] = 1
    found = interval(better - control)
    assert found.low > 0 and found.mean == pytest.approx((better - control).mean())
    assert interval(control).low < 0.5 < interval(control).high


def test_problems() -> None:
    rng = random.Random(5)
    for form in FORMS:
        for _ in range(50):
            one = exercise(form, rng)
            question = one.question.removesuffix("=")
            if form == "ax+b=cx+d":
                left, right = question.removesuffix(" x").split("=")
                assert eval(left.replace("x", f"*({one.answer})")) == eval(right.replace("x", f"*({one.answer})"))
            else:
                assert eval(question) == int(one.answer)
    test, validation = held_out("heldout", 20), held_out("validation", 20)
    trained = {e.key for _, batch in zip(range(20), training_batches("1", 64)) for e in batch}
    assert not {e.key for e in test} & {e.key for e in validation} and not trained & {e.key for e in test + validation}
    assert all(problem_split(e.key) == "heldout" for e in test) and set(HARD) < set(FORMS)


def stand_in(batch: Batch, threshold: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A causal model that can be foretold: after two written characters it ends, before that its choice depends on all of the text."""
    written = (batch.ids == ALPHABET.index("=")).cumsum(1).cumsum(1)
    digit = ALPHABET.index("0") + batch.ids.cumsum(1) % 10
    choice = torch.where(written >= 3, ALPHABET.index(END), digit)
    return torch.nn.functional.one_hot(choice, len(ALPHABET)).float(), torch.ones_like(batch.ids)


def test_teacher_forcing_counts_what_greedy_writing_would() -> None:
    chosen = [e for e in held_out("validation", 4) if e.form != "ax+b=cx+d"]
    greedy = []
    for one in chosen:
        text = one.question
        while not text.endswith(END):
            batch = encoded([replace(one, question=text, answer="")])
            text += ALPHABET[int(stand_in(batch, 0.0)[0][0, len(text) - 1].argmax())]
        greedy.append(text[len(one.question) : -1])
    # What it writes is what every second exercise expects.
    expected = [replace(one, answer=text if i % 2 else one.answer) for i, (one, text) in enumerate(zip(chosen, greedy))]
    right, counts = judged(stand_in, expected, 0.0)
    assert right == [text == one.answer for one, text in zip(expected, greedy)] and 0 < sum(right) < len(right)
    assert counts == {"answer_tokens": sum(len(e.answer) + 1 for e in expected), "sent": 0}


@torch.no_grad()
def test_second_choice_is_the_second_choice() -> None:
    batch = encoded(held_out("validation", 1)[:1])
    logits = torch.zeros(*batch.ids.shape, len(ALPHABET))
    answer = batch.labels != IGNORED
    logits[answer] = torch.nn.functional.one_hot(batch.labels[answer], len(ALPHABET)).float()
    arm = Arm(Spent(), lambda b, t: (logits.roll(1, -1) * 2 + logits, torch.ones_like(b.ids)), 0)
    best = _second_choice(arm)(batch, 0.0)[0].argmax(-1)
    assert best[answer].equal(batch.labels[answer])


@pytest.mark.parametrize("recipe", sorted((Path(__file__).resolve().parent.parent / "recipes").glob("study*.yaml")), ids=lambda p: p.stem)
def test_study_recipes_are_read(recipe: Path) -> None:
    assert read_yaml(StudySettings, recipe).heldout_per_form >= 500
