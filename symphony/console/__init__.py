"""The debug console's client side: fetch snapshots and events, and render them."""
