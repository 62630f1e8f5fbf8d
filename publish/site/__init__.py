"""The pages that leaders read, made from the published tables of a run and from nothing else."""

from publish.site.building import build_site

__all__ = ["build_site"]
