"""What the pages show and change: a file for each noun."""
