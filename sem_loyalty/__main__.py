"""`python -m sem_loyalty` is `sem-loyalty`."""

import sys

from sem_loyalty.cli import main

if __name__ == "__main__":
    sys.exit(main())
