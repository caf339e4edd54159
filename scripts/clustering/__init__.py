"""What the stages share: contracts, reading and writing, and the methods, one idea per module."""
