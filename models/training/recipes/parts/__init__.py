"""Students of two parts, layout and kind, trained together on pairs and on drawings and photos of many kinds."""
