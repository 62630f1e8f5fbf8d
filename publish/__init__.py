"""Turn the scorecard schema into what people and programs read: files, JSON, the terminal table."""

from publish.files import Publication, publish
from publish.reading import NothingPublishedError, Published
from publish.tables import PUBLIC_TABLES, PublicTable

__all__ = ["PUBLIC_TABLES", "NothingPublishedError", "PublicTable", "Publication", "Published", "publish"]
