"""Hand-written schema revisions, run by :mod:`atsumi.store.database` under an advisory lock."""
