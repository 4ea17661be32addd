"""Partitions of a build on the workers of a cluster: what a worker does, who does what, and Ray behind both."""
