"""The Pit's five rule machines: pure, one a file; `actors/pit` has a mailbox round each, under the same file name."""
