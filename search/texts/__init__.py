"""Small matters of text: commands to type, Markdown, files written whole or not at all."""
