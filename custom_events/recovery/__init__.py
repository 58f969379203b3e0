"""Orders read from the stores' own APIs and laid beside what landed; what no delivery had brought is landed."""
