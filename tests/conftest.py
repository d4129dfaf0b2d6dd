"""What every test relies on: nothing of this machine's own settings, and Hypothesis without a clock."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A developer's `.env` may point at Checkout.com. The environment goes before it, so no test can ever reach it.
os.environ["CHECKOUT_BASE_URL"] = ""
os.environ["SIGN_IN_METADATA_URL"] = ""

# Thousands of small stores come and go. Where the system has room for them in memory, no test waits for a disk.
_MEMORY = Path("/dev/shm")
_ROOM = 2 * 2**30
if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

# How fast an example runs depends on what else the machine does, not on the code.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers a core: tests of servers and browsers wait more than they compute."""
    return 2 * (os.cpu_count() or 1)


def pytest_configure(config: pytest.Config) -> None:
    # Shared out in stretches, all tests that need a browser would be one worker's, at whose end the others are idle.
    if getattr(config.option, "dist", "") == "load":
        config.option.dist = "worksteal"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("soak") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(1800))
