//! Guesses at passwords, by many, at once, and for long.
