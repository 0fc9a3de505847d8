"""The immutable tree of an expression, and how one is built."""
