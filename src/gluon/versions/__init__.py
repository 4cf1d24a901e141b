"""Several versions of one proton: what an object of the stored version is called in another one, and back.

`judge` says whether what a model declares it can be undone (else that version is read only),
`converter` turns bodies. Stands above `model`; faces and the shim engine call it, engines never do:
checks, rules, policy and journal see the stored version alone.
"""
