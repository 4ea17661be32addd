"""What browsers get as the page: its sources put together, in each language, named by their contents."""
