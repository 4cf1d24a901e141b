"""Speed and size, measured as ratios within one run: `python -m bench [NAME…] [--quick] [--json FILE]`."""
