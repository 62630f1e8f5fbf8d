"""A run to take away: the key results as a workbook, CSV and JSON, and the exceptions as a feed."""

from publish.exports.writing import write_exports

__all__ = ["write_exports"]
