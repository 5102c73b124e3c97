"""What `symphony chaos` is made of: injecting, watching it heal, asking throughout, counting what is left, and printing."""
