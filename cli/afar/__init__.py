"""What verbs work on, from afar: the functions of `cli.nouns` by the API of a server."""
