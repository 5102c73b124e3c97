"""Dispatchers: which thread runs which mailbox.

`shared` runs many actors in batches on a few threads. `pinned` gives an actor a thread of its own, which may block. `async` runs
coroutine handlers on one event loop. An actor names its dispatcher; a spawn may choose another.
"""
