"""The parts that say how good a training was: the judge's own training, and the figures and sheets."""

import time
from pathlib import Path
from typing import Any

from models.starter.training.images import evaluate, pools, profile, prompts, shards
from models.starter.training.images import judge as judges
from models.starter.training.images.budget import Budget, ensure_tokenizer, prepare, start_renderers, write_json

_RESERVED_SECONDS = 20


def run_judge(budget: Budget) -> dict[str, Any]:
    """A part of its own, before or after the others: train the judge and return its figures on rendered pictures."""
    started = prepare(budget)
    ensure_tokenizer(budget)
    device = budget.device
    shelf = pools.image_shelf(64 if budget.smoke else 160_000, judges.ASPECT, device)
    renderers = start_renderers(budget, "judge", {judges.ASPECT: 1.0})
    left = budget.minutes * 60 - (time.monotonic() - started) - (2 if budget.smoke else _RESERVED_SECONDS)
    smoke: dict[str, Any] = {"batch_size": 4, "minimum_pictures": 8} if budget.smoke else {}
    try:
        judge = judges.train(shelf, renderers, device, seconds=max(2.0, left), **smoke)
    finally:
        renderers.close()
    shards.save(judge.state_dict(), budget.work_dir / "weights", "judge")
    shards.save(judge.state_dict(), budget.out_dir, "judge")
    print(f"weights saved after {time.monotonic() - started:.0f} s", flush=True)
    figures = judges.rendered_accuracy(judge, device, count=8 if budget.smoke else 1000)
    write_json(budget.out_dir / "judge.json", figures)
    print(f"judge on fresh rendered pictures: {figures}", flush=True)
    print(f"part ended after {time.monotonic() - started:.0f} s", flush=True)
    return figures


def run_evaluation(budget: Budget, weights: Path | None = None, judge_weights: Path | None = None) -> None:
    """The last part: the judge's figures at several settings, the contact sheet, square and tall pictures."""
    started = prepare(budget)
    ensure_tokenizer(budget, weights)
    device, weights = budget.device, weights or budget.work_dir / "weights"
    pipeline = evaluate.build_pipeline(weights, budget.tokenizer_dir, tiny=budget.smoke).to(device)
    judge = judges.Judge().to(device)
    judge.load_state_dict(shards.load(judge_weights or weights, "judge"))
    judge.eval()
    steps, guidance = profile.sampling()
    if budget.smoke:
        steps = 2
    few, count = (2, 4) if budget.smoke else (None, 200)
    figures: dict[str, Any] = {
        "judge_on_rendered": judges.rendered_accuracy(judge, device, count=8 if budget.smoke else 400)
    }
    figures["generated"] = evaluate.judged_figures(pipeline, judge, device, count=count, settings=[(steps, guidance)])
    write_json(budget.out_dir / "evaluation.json", figures)
    held_out, close_ups, single = (
        list(texts)[:few] for texts in (prompts.CONTACT_SHEET, prompts.CLOSE_UPS, prompts.single_things())
    )
    for name, texts, aspect, columns, width in (
        ("held_out_wide", held_out, "wide", 4, 320),
        ("held_out_square", held_out, "square", 6, 240),
        ("held_out_tall", held_out, "tall", 8, 168),
        ("close_ups", close_ups, "wide", 4, 320),
        ("single_things", single, "wide", 12, 192),
    ):
        pictures = evaluate.paint(pipeline, texts, steps=steps, guidance=guidance, aspect=aspect)
        evaluate.contact_sheet(pictures, columns, width=width).save(budget.out_dir / f"{name}.jpg", quality=88)
        print(f"{name}: {len(texts)} pictures after {time.monotonic() - started:.0f} s", flush=True)
    print(f"evaluation ended after {time.monotonic() - started:.0f} s: {figures}", flush=True)
