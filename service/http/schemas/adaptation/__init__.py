"""What adapters and feedback look like in requests and answers."""
