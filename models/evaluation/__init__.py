"""What accuracy is: metrics, protocol, and the commands that measure it. No torch."""
