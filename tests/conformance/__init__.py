"""Conformance: the cases of OTP's supervisor_SUITE, by their names, on actors of this process and on processes of their own.

Where we differ from OTP on purpose, the test's docstring says so. Some of its cases have no counterpart: a child cannot answer
`ignore` to its start, nor unlink itself, and there is no callback module that could return nonsense or change its code.
"""
