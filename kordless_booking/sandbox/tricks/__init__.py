"""The kinds of mischief: what an answer says, how it looks outside, and how it comes down the line."""
