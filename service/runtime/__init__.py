"""What lives as long as the process: bundle and index in use, worker threads, health, metrics, logs."""
