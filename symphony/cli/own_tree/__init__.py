"""A tree of the user's own: named by `module:attr`, or written in a TOML file."""
