"""Runs last: no conversation of these tests made Parley send what the service forbids, by the strict stand-ins' notes."""

import pytest

from processes import SERVICES
from upstream_record import await_record


# Gemini's and OpenAI's frames are judged in test_upstream_frames.py. OpenAI is also asked to judge what clients do wrong.
@pytest.mark.parametrize("service", [service for service in SERVICES if service not in ("gemini", "openai")])
def test_R038_no_rule_of_a_service_was_broken(gateway, standin, slow_standin, service):
    broken = []
    for source in (standin, slow_standin):
        record = await_record(source.record, lambda record: True)
        broken += [fault for fault in record.violations if fault["service"] == service]
    assert not broken, f"{len(broken)} violations, the first: {broken[:5]}"
