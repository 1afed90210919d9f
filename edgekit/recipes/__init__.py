"""How the course's models are made, each in one file that is read from top to bottom."""
