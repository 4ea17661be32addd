"""The bodies of requests: raw, as JSON and as multipart forms, to sketches and examples."""
