"""The networks in torch: students, the fused teacher, and the layers that they share."""
