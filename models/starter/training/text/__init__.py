"""The starter language model: a corpus written by hand, a tokenizer, and a training program.

`themes/` and `words/` are the corpus in plain text, the modules beside them turn it into stories and conversations,
and `python -m models.starter.training.text --help` lists what can be run. Nothing is read or computed at import.
"""
