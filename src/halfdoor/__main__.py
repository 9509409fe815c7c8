"""`python -m halfdoor`."""

from halfdoor.cli import main

if __name__ == "__main__":
    main()
