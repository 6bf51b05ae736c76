"""Capture: from drop folders and channels that are asked, into the inbox."""
