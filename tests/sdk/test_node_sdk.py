"""Checkout.com's own Node SDK, unmodified, against the simulator over HTTP. Skipped only where there is no Node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lib.simulator.options import PROCESSING_CHANNEL, SECRET_KEY
from tests.simulator.house import house

VERSION = "5.2.1"
LIFE = Path(__file__).with_name("life.mjs")


@pytest.mark.skipif(not shutil.which("node") or not shutil.which("npm"), reason="Node.js with npm is not installed")
def test_a_whole_life(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CKO_")}
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--loglevel=error"]
    install = ["npm", "install", *quiet, f"checkout-sdk-node@{VERSION}"]
    subprocess.run(install, cwd=tmp_path, env=environment, check=True, timeout=90)
    script = shutil.copy(LIFE, tmp_path)

    with house(tmp_path) as home:
        command = ["node", script, home.url, SECRET_KEY, PROCESSING_CHANNEL]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.pop("refunded") == {
        "status": "Partially Refunded",
        "balances": {
            "total_authorized": 45_000,
            "total_voided": 0,
            "available_to_void": 0,
            "total_captured": 45_000,
            "available_to_capture": 0,
            "total_refunded": 5000,
            "available_to_refund": 40_000,
        },
    }
    assert told == {
        "created": {"status": "Pending", "requiresRedirect": True},
        "paid": {"status": 303, "location": "https://shop.example/thanks"},
        "sameRefund": True,
        "actions": [["Refund", 5000], ["Capture", 45_000]],
        "list": [1, True],
        "events": [
            "payment_pending",
            "payment_capture_pending",
            "payment_captured",
            "payment_refund_pending",
            "payment_refunded",
        ],
        "money": [["Refund", "HKD"], ["Capture", "HKD"]],
        "refusals": [
            ["ValidationError", 422, ["refund_amount_exceeds_balance"]],
            ["NotFoundError", 404, None],
            ["ActionNotAllowed", 403, None],
            ["AuthenticationError", 401, None],
        ],
    }
