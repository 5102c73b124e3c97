"""Which settings file `up` reads: the one that is named, else the workspace's own, else none."""

from pathlib import Path

from symphony.settings import FILE_NAME, Settings, read_settings

from .file_paths import absolute, read_text_file
from .places import Places


def load_settings(places: Places, config: str | None) -> Settings:
    """Give the settings. Raises what `read_text_file` and `read_settings` raise."""
    defaults = Settings(
        run_dir=str(places.run_dir),
        state_dir=str(places.state_dir),
        workspace=None if places.workspace is None else str(places.workspace),
    )
    file = config
    if file is None and places.workspace is not None and (places.workspace / FILE_NAME).exists():
        file = str(places.workspace / FILE_NAME)
    if file is None:
        return defaults
    folder = str(Path(absolute(file)).parent)
    return read_settings(read_text_file(file), source=file, folder=folder, defaults=defaults, is_trusted=config is not None)
