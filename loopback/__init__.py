"""The publishers' services on loopback, for development, tests and demonstrations: the simulated world over HTTP.

No part of the program: nothing of it imports this. docs/loopback.md says what is answered and how it can go wrong.
"""
