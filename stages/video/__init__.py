"""Cuts voices and pictures into one film with subtitles: 1 + 2 + 3 -> 4_video.json, story.mp4, story.srt, story.vtt."""
