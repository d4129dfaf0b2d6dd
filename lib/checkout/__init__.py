"""Checkout.com over the wire: the client, what its answers mean, its errors and its webhook signature."""
