"""A tool loop of every client class, recorded: what is asked on the wire, byte for byte."""
