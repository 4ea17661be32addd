"""The model card that writes itself from what a run left and what was measured."""
