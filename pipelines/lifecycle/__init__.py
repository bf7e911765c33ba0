"""A return's states and who may move it: the ledger, sign-off, locks, revisions, what is owed."""
