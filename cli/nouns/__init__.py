"""What verbs work on: the functions they call, by the services on the database beside us, or from afar (`cli.afar`)."""
