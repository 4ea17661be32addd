"""Changes of a gallery while it is served: photos uploaded, described anew and deleted, in jobs and one by one."""
