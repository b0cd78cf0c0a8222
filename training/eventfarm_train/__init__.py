"""Trains the networks of a track finder on generated events."""
