"""A topic goes in, a narrated storyboard comes out; every stage is a short-lived process of its own.

    new      topic                 -> 0_topic.json
    scenes   0_topic.json          -> 1_scenes.json   a language model writes an outline, then each scene
    audio    1_scenes.json         -> 2_audio.json    a voice speaks each narration
    images   1_scenes.json         -> 3_images.json   a diffusion model paints each scene
    video    1 + 2 + 3             -> 4_video.json    the film and its subtitles
    report   0 .. 4                -> index.html      the page a person looks at

`python -m stages` starts these as processes (`python -m stages.images RUN_DIR ...`) and reads what they leave behind; the
end of a process, not a garbage collector, gives the GPU's memory back.
"""
