"""The methods of both clients, by subject: the blocking ones, and below each class the same for asyncio."""
