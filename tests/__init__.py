"""The tests mirror the tree. A package, so that no folder of theirs stands in for desk, maild or rules."""
