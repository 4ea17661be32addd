"""The demo galleries of Inkseek, as data: `manifest.csv` lists the pictures, README.md says whose they are."""
