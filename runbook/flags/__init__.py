"""Flag files, edited by the byte."""
