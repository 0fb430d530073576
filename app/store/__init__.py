"""All SQL. One file a noun, one function a named question or deed; takes a session, never commits."""
