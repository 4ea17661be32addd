"""Losses: functions that return named terms."""
