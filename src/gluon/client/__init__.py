"""The HTTP client of our own API, for the command lines and for programs of others.

In: a server's address. Out: decoded answers, or `ApiError` with what the server said. Imported by
`cli` and `cmd`.
"""
