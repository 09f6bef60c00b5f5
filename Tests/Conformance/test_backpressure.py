"""A short run of the program behind `make backpressure`: what it measures over minutes, without any figure of time."""

import subprocess

import pytest

from processes import BINARY

PROGRAM = BINARY.parent / "Backpressure"


@pytest.mark.deadline(120)
def test_fault_row_49_slow_clients_cost_bounded_memory_can_interrupt_and_take_nothing_from_the_others():
    arguments = ["--binary", BINARY, "--healthy", "4", "--seconds", "3", "--repeats", "1", "--trickle", "16384"]
    run = subprocess.run(
        [PROGRAM, *arguments, "--most-growth", "0"], capture_output=True, text=True, timeout=110, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "backpressure holds" in run.stdout
