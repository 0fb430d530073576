"""Moving in: the readers of another product's file, or of another instance of ours.

`table` splits a file into rows, `columns` says what a header's names mean, `survey` reads the whole file once before
anything is written and asks where it must not guess, `rows` makes a person of a row, and `run` writes them.
"""
