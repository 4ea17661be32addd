"""Students of two parts, layout and kind, taught together by pairs and by drawings and photos of many kinds."""
