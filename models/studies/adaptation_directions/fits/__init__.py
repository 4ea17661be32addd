"""What ways fit to drawings, pairs and other categories: metrics, projections, weights."""
