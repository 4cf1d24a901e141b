"""A loaded model as other tools read it: OpenAPI, JSON Schema, Markdown.

In: a `model.types.Model`. Out: plain data or text, always the same for the same model. Knows neither a server nor
a database; SQL is `store.script`'s. Called by the commands, the API and `./dev docs`.
"""
