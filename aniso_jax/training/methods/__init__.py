"""What is minimised: one file for each method, the table of all of them in `table.py`."""
