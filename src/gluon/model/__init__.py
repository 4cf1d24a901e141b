"""The YAML language of models: files in, frozen `types.Model` out, or `ModelError` with every problem.

Stages, each in its file: `source` (nodes with places) → `declare` (what the files say) → `find`
(which files make which model) → `resolve` (imports, inheritance) → `check` (the rules) → `loader`.
`fieldtypes` and `fields` judge values of bodies by a loaded model, `describe` tells programs about
one, `dump` tells people. All rooms above may import it; it knows neither SQL nor HTTP.
"""
