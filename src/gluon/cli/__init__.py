"""`protonclient`: commands made from what the server serves.

In: arguments and the server's description of its protons. Out: JSON on standard output, the
server's words on standard error, exit codes of the original. Imports the core and `client` only.
"""
