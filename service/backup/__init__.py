"""One archive of what a service serves and keeps: indexes, online stores, API keys, quotas."""
