"""A procedural illustrator: a scene named in the words of `vocabulary` goes in, a flat-vector poster comes out.

`scene` says what may stand where and draws one at random, `compose.render` paints it, `captions` writes it in words.
Everything is a function of the scene and its seed; nothing is read from disk.
"""
