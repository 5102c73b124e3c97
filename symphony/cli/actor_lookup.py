"""Finding an actor of a snapshot, or saying what is near."""

from difflib import get_close_matches

from actors.runtime.errors import NoSuchActorError
from actors.runtime.snapshot import ActorSnapshot, TreeSnapshot


def find_actor(tree: TreeSnapshot, path: str) -> ActorSnapshot:
    """Give the actor at `path`. Raises `NoSuchActorError`, with the nearest path there is."""
    found = tree.root.find(path)
    if found is None:
        near = get_close_matches(path, [actor.path for actor in tree.root.walk()], n=1)
        hint = f"did you mean {near[0]}?" if near else "`symphony tree` lists who does"
        raise NoSuchActorError(f"nobody lives at {path}; {hint}")
    return found
