"""``python -m divekit`` is the command line."""

from divekit.cli import main

if __name__ == "__main__":
    main()
