"""What every connection and request passes before a route: limits on connections, heads, bodies and work; ids."""
