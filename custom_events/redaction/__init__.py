"""People's requests about their own data carried out: who it is, what of them is blanked or deleted in which table, and the file of what is known."""
