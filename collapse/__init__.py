"""The application: the audit of the paper's claims, from the command line."""
