"""`python -m search` does what the command `actsearch` does."""

from search.cli import main

if __name__ == "__main__":
    main()
