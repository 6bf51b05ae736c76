"""Exports: reports as files for people."""
