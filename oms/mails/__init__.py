"""Mails to customers: asked for, sent by the worker, tried again, given up."""
