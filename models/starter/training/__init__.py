"""How the starter models are made, from nothing: illustrator, image model, corpus, language model."""
