"""What a file says of itself before any pixel is decoded: format, size, frames, and what decoding it will take."""
