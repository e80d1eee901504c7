"""What is being said, which of it is a rumour, and who defends the brand."""
