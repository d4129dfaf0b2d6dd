"""Everything but the screens: money, rules, Checkout.com over the wire, the ledger, the receiver and the simulator."""
