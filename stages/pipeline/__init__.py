"""What the stages share: manifests, settings, the run directory, the frame of a stage process, errors and exit codes.

Knows no stage and no torch. A stage imports from here; nothing here imports a stage.
"""
