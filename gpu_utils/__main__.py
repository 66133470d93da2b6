"""The command line: `python -m gpu_utils status` and `python -m gpu_utils demo`.

Exit codes: 0 done, 1 memory stayed behind in the demonstration, 2 usage, 75 no GPU, or it is busy or too full.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpu_utils import demo as demonstration
from gpu_utils.errors import GPUError
from gpu_utils.host_memory import read_host_memory
from gpu_utils.leases import read_leases
from gpu_utils.probe import default_probe
from gpu_utils.sizes import format_bytes

EXIT_STAYED = 1
EXIT_TEMPORARY = 75  # EX_TEMPFAIL: try again later, or elsewhere

app = typer.Typer(help="GPU memory: who has it, and does it come back.", no_args_is_help=True, add_completion=False)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show every GPU, the processes on it, its leases, and host memory. Makes no CUDA context."""
    reading, host = default_probe().read(), read_host_memory()
    leases = {device.uuid: read_leases(device.uuid) for device in reading.devices}
    if as_json:
        devices = [
            {**asdict(device), "leases": [asdict(lease) for lease in leases[device.uuid]]} for device in reading.devices
        ]
        typer.echo(json.dumps({"devices": devices, "problem": reading.problem, "host": asdict(host)}, indent=2))
        return
    console = Console()
    if reading.problem:
        console.print(escape(reading.problem), soft_wrap=True)
    for device in reading.devices:
        console.print(
            escape(
                f"{device.label}  used {format_bytes(device.used_bytes)} of {format_bytes(device.total_bytes)}, "
                f"{format_bytes(device.free_bytes)} free  {_or_unknown(device.temperature_celsius)} °C  "
                f"{_or_unknown(device.power_watts)} W  {device.uuid}"
            ),
            soft_wrap=True,
        )
        if device.problem:
            console.print(escape(f"  the driver reports: {device.problem}"), soft_wrap=True)
        for process in device.processes or ():
            line = f"  pid {process.pid}  {format_bytes(process.used_bytes)}  {process.command or ''}"
            console.print(escape(line), soft_wrap=True)
        for place, lease in enumerate(leases[device.uuid]):
            console.print(escape(f"  {'leased to' if place == 0 else 'then'} {lease}"), soft_wrap=True)
    console.print(f"host  {format_bytes(host.available_bytes)} available")


@app.command()
def demo(
    gigabytes: Annotated[float, typer.Option(min=0.05, help="Size of each of the two models, in 10^9 bytes.")] = 4.0,
    device: Annotated[str | None, typer.Option(help="A CUDA number or a UUID; CUDA's first by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Prove on a GPU that a model leaves nothing behind: cleaned up in one process, and by two processes' exits."""
    rows = demonstration.run_demo(int(gigabytes * 1e9), device)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        _print_table(rows)
    if problem := demonstration.stayed(rows):
        typer.echo(problem, err=True)
        raise typer.Exit(EXIT_STAYED)


def _print_table(rows: list[demonstration.DemoRow]) -> None:
    table = Table("", "moment", "device used", "allocated", "reserved", "")
    part = None
    for row in rows:
        if part not in (None, row.part):
            table.add_section()
        verdict = f"{format_bytes(row.over_bytes)} too much" if row.over_bytes else "ok"
        own = ["" if value is None else format_bytes(value) for value in (row.allocated_bytes, row.reserved_bytes)]
        table.add_row(row.part if row.part != part else "", row.moment, format_bytes(row.used_bytes), *own, verdict)
        part = row.part
    console = Console()
    console.print(table)
    console.print(
        f"Allowed: {format_bytes(demonstration.ALLOCATED_TOLERANCE_BYTES)} of tensors (library workspaces) and "
        f"{format_bytes(demonstration.IN_PROCESS_TOLERANCE_BYTES)} on the device (kernels loaded on first use) in a "
        f"living process, {format_bytes(demonstration.AFTER_EXIT_TOLERANCE_BYTES)} after its exit."
    )


def _or_unknown(value: float | None) -> str:
    return "?" if value is None else f"{value:.0f}"


def main() -> None:
    """Run the command line; an error of ours is one line."""
    try:
        app()
    except GPUError as error:
        typer.echo(str(error), err=True)
        sys.exit(EXIT_TEMPORARY)


if __name__ == "__main__":
    main()
