"""The form a model writes best: tools shown to a model in another form than the application's, and its calls put back into that form.

Pure: no LangChain, no disk, no clock. `form.py` has the protocol, `edit_form.py` the built-in forms of edit tools, and each notation has a file.
"""
