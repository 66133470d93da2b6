"""What `python -m stages` does, one file for each command. Starts stages as processes; imports none of them."""
