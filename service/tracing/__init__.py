"""Whose trace a request belongs to, and how long its stages take: W3C trace context, and OpenTelemetry as an extra."""
