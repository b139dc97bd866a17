"""Tables behind the desk's own machinery: numbers, keys, leases, snapshots of the home's files."""

from __future__ import annotations

from peewee import BigIntegerField, IntegerField, TextField

from desk.store.current import Table


class Counter(Table):
    """Numbers without gaps: taken inside the transaction that uses them."""

    name = TextField(primary_key=True)
    value = BigIntegerField()


class Keyring(Table):
    """Keys of the reply tokens, one per epoch; the newest signs, all verify. They live in the store
    so that several nodes agree and a backup restores them."""

    epoch = IntegerField(primary_key=True)
    key = TextField()  # hex
    made = BigIntegerField()


class Lease(Table):
    """Who does a job that only one may do. `epoch` grows with every change of hands (fencing)."""

    name = TextField(primary_key=True)
    owner = TextField()
    until = BigIntegerField()
    epoch = BigIntegerField()


class Snapshot(Table):
    """The checked content of the home's files, as the desk and the console read it."""

    name = TextField(primary_key=True)
    digest = TextField()
    data = TextField()
    at = BigIntegerField()
