"""Text as an immutable balanced tree, addressed by UTF-8 byte offsets and by lines."""
