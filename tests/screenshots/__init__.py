"""Pictures of the real app, for the README and for looking at every screen."""
