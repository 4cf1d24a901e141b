"""Create, change, delete and list objects of any loaded model.

A checked body enters, a unit for the store leaves; references, unique values and referrers are
decided inside the unit. Knows roles and kinds, no names of any model; opens no database.
Imported by the arbiter and the API.
"""
