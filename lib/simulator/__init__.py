"""A stand-in for Checkout.com's KakaoPay, reached only over HTTP, with a database of its own."""
