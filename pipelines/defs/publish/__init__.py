"""Publish: the marts as a version everybody else reads."""
