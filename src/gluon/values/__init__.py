"""Values of the field's types: text in, one normal form (or a small frozen value) out.

Every `parse` raises `ValueError` with a sentence for people. Nothing here knows a model, a
request or a database; every room above may import it, it imports no other room.
"""
