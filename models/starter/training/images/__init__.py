"""How the starter image model is made: tokenizer, autoencoder, text-conditioned diffusion, and what judges them.

`python -m models.starter.training.images --help` lists the parts. Each part is limited in time, keeps its state in a
working directory and writes what should be kept to an output directory.
"""
