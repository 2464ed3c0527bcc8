"""Floor 11: one function a command of the command line: it calls, and prints."""
