"""`python -m models.starter.training.images PART --work-dir DIR --out DIR --minutes 9`, and `assemble`."""

import os
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

WorkDir = Annotated[Path, typer.Option(help="State kept between parts, on the training machine's disk.")]
OutDir = Annotated[Path, typer.Option("--out", help="Shards, figures and previews to carry home.")]
Minutes = Annotated[float, typer.Option(help="How long the part may take, evaluation included.")]
Workers = Annotated[int, typer.Option(help="Rendering processes beside the training; 0 takes all cores but three.")]
Smoke = Annotated[bool, typer.Option("--smoke", help="Tiny networks on the CPU: does everything run?")]
Compile = Annotated[bool, typer.Option("--compile/--no-compile", help="Use torch.compile on a GPU.")]


def _workers(asked: int, *, smoke: bool) -> int:
    return asked or (1 if smoke else max(1, (os.cpu_count() or 4) - 3))


@app.command()
def autoencoder(
    work_dir: WorkDir,
    out: OutDir,
    minutes: Minutes = 9.0,
    workers: Workers = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the working directory's autoencoder.")] = False,
    smoke: Smoke = False,
    compile_it: Compile = True,
) -> None:
    """Part 1: tokenizer, pictures, autoencoder."""
    from models.starter.training.images import parts
    from models.starter.training.images.budget import Budget

    budget = Budget(work_dir, out, minutes, _workers(workers, smoke=smoke), smoke, compile_it)
    psnr = parts.run_autoencoder(budget, resume=resume)
    if psnr < parts.MINIMUM_PSNR_DB and not smoke:
        typer.echo(f"below the {parts.MINIMUM_PSNR_DB:.0f} dB that diffusion asks for: {psnr:.2f} dB", err=True)


@app.command()
def judge(work_dir: WorkDir, out: OutDir, minutes: Minutes = 3.5, workers: Workers = 0, smoke: Smoke = False) -> None:
    """A part of its own: the classifier that evaluation asks what a picture shows."""
    from models.starter.training.images.assessing import run_judge
    from models.starter.training.images.budget import Budget

    run_judge(Budget(work_dir, out, minutes, _workers(workers, smoke=smoke), smoke, compile=False))


@app.command()
def diffusion(
    work_dir: WorkDir,
    out: OutDir,
    minutes: Minutes = 9.0,
    workers: Workers = 0,
    final: Annotated[bool, typer.Option("--final", help="The last part: let the learning rate fall.")] = False,
    allow_soft: Annotated[bool, typer.Option("--allow-soft", help="Begin below the autoencoder's gate.")] = False,
    resume_from: Annotated[
        Path | None, typer.Option(help="Shards of former parts, or the pipeline that ships, to go on from.")
    ] = None,
    smoke: Smoke = False,
    compile_it: Compile = True,
) -> None:
    """Parts 2 and 3: the denoiser and the text encoder."""
    from models.starter.training.images import parts
    from models.starter.training.images.budget import Budget

    budget = Budget(work_dir, out, minutes, _workers(workers, smoke=smoke), smoke, compile_it)
    try:
        parts.run_diffusion(budget, final=final, allow_soft=allow_soft or smoke, resume_from=resume_from)
    except parts.GateError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


@app.command()
def evaluate(
    work_dir: WorkDir,
    out: OutDir,
    weights: Annotated[Path | None, typer.Option(help="Shards to judge instead of the working directory's.")] = None,
    judge_weights: Annotated[Path | None, typer.Option(help="The judge's shard, if it lies elsewhere.")] = None,
    smoke: Smoke = False,
) -> None:
    """The figures and contact sheets of the trained pipeline."""
    from models.starter.training.images.assessing import run_evaluation
    from models.starter.training.images.budget import Budget

    run_evaluation(Budget(work_dir, out, 0, 0, smoke, compile=False), weights, judge_weights)


@app.command(hidden=True)
def compile_ahead(work_dir: WorkDir) -> None:
    """Fill the compiler's cache for the denoiser; part 1 starts this beside itself."""
    from models.starter.training.images.compiling import compile_ahead as fill

    fill(work_dir)


@app.command()
def throughput(
    seconds: Annotated[float, typer.Option(help="No variant begins after that long.")] = 60.0, smoke: Smoke = False
) -> None:
    """How fast a diffusion step is: eager and compiled, on this machine."""
    import torch

    from models.starter.training.images.throughput import measure

    measure("cuda" if torch.cuda.is_available() and not smoke else "cpu", limit_seconds=seconds, tiny=smoke)


@app.command()
def assemble(
    weights: Annotated[
        Path,
        typer.Argument(help="Directory with unet-*, text-* shards and, unless they stay, vae-* and the tokenizer."),
    ],
    destination: Annotated[Path, typer.Argument(help="The pipeline directory to write.")] = Path(
        "models/starter/images"
    ),
    smoke: Smoke = False,
) -> None:
    """Turn the shards into the pipeline directory that ships."""
    from models.starter.training.images.assemble import assemble as write

    size_bytes = write(weights, destination, tiny=smoke)
    typer.echo(f"{destination}: {size_bytes / 1e6:.1f} MB")


@app.command()
def report(
    weights: Annotated[Path, typer.Argument(help="Directory with the judge's shards and judge.json.")],
    out: Annotated[Path, typer.Option("--out", help="Where the sheets and figures.json go.")] = Path("docs/images"),
    count: Annotated[int, typer.Option(help="Fresh prompts for the judge.")] = 200,
) -> None:
    """Figures and contact sheets of the pipeline that ships, on this machine's processor with the starter profile."""
    from models.starter.training.images.shipped import write_report

    write_report(weights, out, count=count)


@app.command()
def record(
    path: Annotated[Path, typer.Argument(help="What the tests of the shipped weights compare with.")] = Path(
        "tests/models/starter/images/shipped_figures.json"
    ),
) -> None:
    """Record what the shipped weights give; after other weights were assembled."""
    from models.starter.training.images.shipped import record as write

    write(path)


if __name__ == "__main__":
    app()
