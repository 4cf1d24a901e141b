"""HTTP/1.1 to another server, byte for byte: nothing of a request or an answer is understood that need not be.

Libraries for HTTP write targets and headers in their own way. What is used is the parser, `httptools`.
"""
