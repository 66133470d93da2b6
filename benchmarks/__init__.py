"""The measurements behind every figure in the documentation, each with its limit or its baseline beside it."""
