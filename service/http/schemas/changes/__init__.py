"""What changes of photos and the jobs that make them look like in requests and answers."""
