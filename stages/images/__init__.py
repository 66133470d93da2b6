"""Images: the story in, one picture for each scene out, painted by a text-to-image pipeline that diffusers loads."""
