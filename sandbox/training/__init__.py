"""The exercises of docs/training: questions about the demo's data, and what says whether an answer is right."""
