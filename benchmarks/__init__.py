"""One script a question; run them with `python -m benchmarks NAME`."""
