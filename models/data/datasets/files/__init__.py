"""What readers of layouts share: folders of images, tables, and pickles that are not trusted."""
