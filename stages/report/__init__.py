"""The page: everything a run made and how it was made, in one file that opens anywhere. CPU only."""
