"""The tabular adapter: files of rows become documents through the channel's YAML mappings."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from oms.adapters.channels.tabular.loading import BadMapping, load
from oms.adapters.channels.tabular.plan import make_plan
from oms.adapters.channels.tabular.spec import Spec
from oms.adapters.channels.tabular.workspace import open_workspace
from oms.workflows.documents import Documents, Source, Unreadable, ahead


class TabularMapping:
    """Maps a channel's files of rows, one YAML mapping a topic."""

    def __init__(self, specs: Mapping[str, Spec], folders: Sequence[Path] = ()) -> None:
        """Take the mapping of each topic, and the folders where look-up files may lie."""
        self.topics = frozenset(specs)
        self._specs = dict(specs)
        self._folders = tuple(folders)

    @classmethod
    def from_options(cls, options: Mapping[str, Any], folder: Path) -> Self:
        """Build it from a channel's adapter options; paths are relative to a folder.

        {"mappings": {"orders": "superstore.yaml"}, "look_ups": "reference"}: the mapping of each
        topic, and a further folder for look-up files. Raises BadMapping.
        """
        files = options.get("mappings")
        if not isinstance(files, dict) or not files:
            raise BadMapping("adapter_options.mappings: name a mapping file for each topic")
        paths = {topic: folder / str(file) for topic, file in files.items()}
        folders = dict.fromkeys(path.parent for path in paths.values())
        if options.get("look_ups"):
            folders[folder / str(options["look_ups"])] = None
        return cls({topic: load(path) for topic, path in paths.items()}, tuple(folders))

    def documents(self, source: Source, *, after: int = 0) -> Iterator[Documents]:
        """Map a file slice by slice, skipping the first `after` documents.

        A slice's fragments can be had until the next slice is asked for. Raises Unreadable.
        """
        if source.topic not in self._specs:
            raise Unreadable(f"the channel has no mapping for {source.topic[:40]!r}")
        plan = make_plan(self._specs[source.topic], source.channel)
        with open_workspace(plan, source, self._folders) as workspace:
            workspace.build()
            yield from ahead(workspace.slices(after))
