"""The benchmark: `make bench`. See docs/explanation/performance.md."""
