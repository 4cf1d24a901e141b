"""Who watches is told of what is committed: one tail of the journal a process, a ring of recent entries, a queue for each watcher.

In: the store's journal, `Kinds` of the main, an `Interest` for each watcher. Out: lines of events, in the order of
revisions, none left out. Knows no HTTP; `api.watch` is its face.
"""
