"""Text as people write it: tokens, spellings, hints, files."""
