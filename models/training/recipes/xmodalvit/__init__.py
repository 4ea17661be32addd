"""XModalViT (BMVC 2022): a fused teacher, and two single-modality students that are distilled from it."""
