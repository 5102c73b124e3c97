"""What `symphony demo` is made of: the sample, the fault and its healing, and the checks at the end."""
