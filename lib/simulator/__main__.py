"""The simulator alone: `python -m lib.simulator --port 9000 --webhook http://127.0.0.1:8000/webhooks`."""

from __future__ import annotations

import argparse
import asyncio

import uvicorn

from lib import catalog
from lib.simulator.app import create
from lib.simulator.options import SECRET_KEY, Options


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lib.simulator", description="A stand-in for Checkout.com's KakaoPay."
    )
    parser.add_argument("--host", default="127.0.0.1", help="whoever reaches it reaches its control board too")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--public-url", help="how browsers and phones reach it, if not by host and port")
    parser.add_argument("--database", default=f"sqlite:///{catalog.DATA / 'simulator-alone.db'}", help="sqlite:///PATH")
    parser.add_argument("--webhook", default="", help="where to deliver events; without it they are only kept")
    parser.add_argument("--webhook-key", action="append", help="signature key; give a second one while rotating")
    parser.add_argument("--webhook-authorization", default="", help="static Authorization header of each delivery")
    parser.add_argument("--secret-key", action="append", help=f"bearer key to accept; {SECRET_KEY} if none is given")
    parser.add_argument("--currencies", choices=list(catalog.offers()), default="default")
    parser.add_argument("--without-kakaopay", action="store_true", help="refuse payments with payee_not_onboarded")
    parser.add_argument("--link-minutes", type=float, default=10)
    parser.add_argument("--seed", help="begin a run that repeats to the byte: forgets what was, and the clock stands")
    parser.add_argument("--rate-limit", type=int, help="reads, and writes, in a second")
    return parser.parse_args()


def main() -> None:
    given = _arguments()
    options = Options(
        database_url=given.database,
        base_url=given.public_url or f"http://{given.host}:{given.port}",
        webhook_url=given.webhook,
        webhook_keys=tuple(given.webhook_key or Options.webhook_keys),
        webhook_authorization=given.webhook_authorization,
        secret_keys=tuple(given.secret_key or (SECRET_KEY,)),
        currencies=given.currencies,
        kakaopay=not given.without_kakaopay,
        link_minutes=given.link_minutes,
        requests_per_second=given.rate_limit,
    )
    print(
        f"KakaoPay simulator at {options.base()}\n"
        f"  bearer key           {' or '.join(options.secret_keys)}\n"
        f"  processing channel   {options.processing_channel_id}\n"
        f"  signature key        {options.webhook_keys[0]}\n"
        f"  webhooks go to       {options.webhook() or 'nobody; give --webhook URL'}\n"
        f"  control board        {options.base()}/_control/faults",
        flush=True,
    )
    app = create(options)
    if given.seed is not None:
        asyncio.run(app.engine.begin(given.seed, standing=True))
    uvicorn.run(app, host=given.host, port=given.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
