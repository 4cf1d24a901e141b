"""Who may do what: rules in the language of `oslo.policy`, compiled once to closures. Pure.

`rulebook.rulebook` takes named rules with their places and gives a `Rulebook` or every problem at once; a compiled
rule answers for one caller and one stored object, and says for lists which objects it can be true of (`scope`).
"""
