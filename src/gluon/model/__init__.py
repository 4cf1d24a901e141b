"""The YAML language of models: files in, frozen `types.Model` out, or `ModelError` with every problem.

Stages, each in its files: `source` (nodes with places) → `facts`, `declare*` (what the files say) → `find`
(which files make which model) → `resolve` (imports, inheritance) → `check*` (the rules) → `build` → `loader`.
They read both versions of the language by two tables, `fieldtypes` (types) and `keywords` (keys); `language` and `manual`
make its JSON Schema and reference page of them. `fields` judges bodies by a loaded model, `describe` tells programs about
one, its `dump` tells people. All rooms above may import it; it knows neither SQL nor HTTP.
"""
